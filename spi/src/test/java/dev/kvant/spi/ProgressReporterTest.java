package dev.kvant.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.Progress;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationListener;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A progress reporter")
class ProgressReporterTest {

  private final List<Progress> heard = new ArrayList<>();

  private final QuantizationListener listener =
      new QuantizationListener() {
        @Override
        public void onProgress(Progress progress) {
          heard.add(progress);
        }
      };

  @Test
  void adds_up_what_is_done() {
    var reporter = new ProgressReporter(listener, "quantize", 3, "modules");

    reporter.advance(1, "a");
    reporter.advance(2, "b");

    assertThat(heard)
        .containsExactly(
            new Progress("quantize", 0, 3, "modules", ""),
            new Progress("quantize", 1, 3, "modules", "a"),
            new Progress("quantize", 3, 3, "modules", "b"));
  }

  @Test
  void ends_the_step_of_an_interrupted_thread_and_leaves_its_flag_set() {
    var reporter = new ProgressReporter(listener, "quantize", 3, "modules");
    reporter.advance(1, "a");

    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> reporter.advance(1, "b"))
          .isInstanceOf(QuantizationCancelledException.class)
          .hasMessage("'quantize' was interrupted after 1 modules");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(heard).hasSize(2);
  }
}
