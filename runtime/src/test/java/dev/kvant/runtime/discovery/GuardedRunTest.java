package dev.kvant.runtime.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ProviderException;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.spi.QuantizationRun;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A run behind its guard")
class GuardedRunTest {

  /** A run that has saved that, or nothing. */
  private record Saving(@Nullable SavedModel saved) implements QuantizationRun {

    @Override
    @SuppressWarnings("NullAway")
    public SavedModel save(Path directory) {
      return saved;
    }

    @Override
    public void close() {}
  }

  private static SavedModel reportOf(String backend) {
    return new SavedModel(
        List.of(),
        new QuantizationReport(backend, QuantizationMode.WEIGHT_ONLY_PTQ, List.of(), List.of()));
  }

  private static SavedModel saved(Saving run) {
    return new GuardedRun(run, "mine", new ProviderCall("backend", Provided.of(run)))
        .save(Path.of("anywhere"));
  }

  @Test
  void gives_a_report_of_its_own_backend() {
    assertThat(saved(new Saving(reportOf("mine")))).isEqualTo(reportOf("mine"));
  }

  @Test
  void that_reports_for_another_backend_is_named() {
    assertThatThrownBy(() -> saved(new Saving(reportOf("other"))))
        .isInstanceOf(ProviderException.class)
        .hasMessage(
            "backend %s (%s): the report that save() returned names backend 'other' instead of"
                    .formatted(Saving.class.getName(), Location.of(Saving.class))
                + " 'mine'");
  }

  @Test
  void that_saves_nothing_is_named() {
    assertThatThrownBy(() -> saved(new Saving(null)))
        .isInstanceOf(ProviderException.class)
        .hasMessageEndingWith("save() returned null");
  }
}
