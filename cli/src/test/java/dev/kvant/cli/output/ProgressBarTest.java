package dev.kvant.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Progress;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ProgressBarTest {

  private long now;

  @Test
  void a_pipe_gets_nothing() {
    Paper pipe = Paper.wideUnicode();
    var bar = new ProgressBar(pipe.screen(), () -> now);

    bar.show(new Progress("quantize", 1, 4, "modules", "fc1"));
    bar.clear();

    assertThat(pipe.text()).isEmpty();
  }

  @Test
  void a_terminal_sees_how_far_the_step_has_come() {
    Paper terminal = Paper.terminal(true, 80);
    var bar = new ProgressBar(terminal.screen(), () -> now);

    bar.show(new Progress("quantize", 1, 4, "modules", "fc1"));

    assertThat(terminal.text())
        .isEqualTo("\r\u001b[Kquantize  ██████░░░░░░░░░░░░░░░░░░  1/4 modules  fc1");
  }

  @Test
  void a_terminal_without_unicode_gets_ascii() {
    Paper terminal = Paper.terminal(false, 80);

    new ProgressBar(terminal.screen(), () -> now)
        .show(new Progress("quantize", 4, 4, "modules", ""));

    assertThat(terminal.text())
        .isEqualTo("\r\u001b[Kquantize  " + "#".repeat(24) + "  4/4 modules");
  }

  @Test
  void the_name_of_what_is_worked_on_cannot_control_the_terminal() {
    Paper terminal = Paper.terminal(true, 80);

    new ProgressBar(terminal.screen(), () -> now)
        .show(new Progress("calibrate", 7, -1, "batches", "a\u001b[2J\nb"));

    assertThat(terminal.text()).isEqualTo("\r\u001b[Kcalibrate  7 batches  a\\u001b[2J\\nb");
  }

  @Test
  void without_a_total_there_is_a_count_and_no_bar() {
    Paper terminal = Paper.terminal(true, 80);

    new ProgressBar(terminal.screen(), () -> now)
        .show(new Progress("calibrate", 7, -1, "batches", ""));

    assertThat(terminal.text()).isEqualTo("\r\u001b[Kcalibrate  7 batches");
  }

  @Test
  void bytes_are_shown_in_the_unit_that_suits_them() {
    Paper terminal = Paper.terminal(false, 80);

    new ProgressBar(terminal.screen(), () -> now)
        .show(new Progress("quantize", 4_194_304, 805_306_368, "bytes", "fc1.weight"));

    assertThat(terminal.text()).endsWith("  4.19 MB of 805 MB  fc1.weight");
  }

  @Test
  void the_line_never_fills_the_terminal() {
    Paper terminal = Paper.terminal(true, 40);

    new ProgressBar(terminal.screen(), () -> now)
        .show(new Progress("quantize", 1, 4, "modules", "a.module.with.a.very.long.name"));

    assertThat(terminal.text().replace("\r\u001b[K", "")).hasSize(39);
  }

  @Test
  void it_is_not_drawn_again_within_a_moment() {
    Paper terminal = Paper.terminal(true, 80);
    var bar = new ProgressBar(terminal.screen(), () -> now);

    bar.show(new Progress("quantize", 1, 4, "modules", "fc1"));
    bar.show(new Progress("quantize", 2, 4, "modules", "fc2"));
    now += TimeUnit.SECONDS.toNanos(1);
    bar.show(new Progress("quantize", 3, 4, "modules", "fc3"));

    assertThat(terminal.text()).contains("fc1").doesNotContain("fc2").contains("fc3");
  }

  @Test
  void a_new_step_is_shown_at_once() {
    Paper terminal = Paper.terminal(true, 80);
    var bar = new ProgressBar(terminal.screen(), () -> now);

    bar.show(new Progress("quantize", 1, 4, "modules", ""));
    bar.show(new Progress("write", 0, 2, "files", ""));

    assertThat(terminal.text()).contains("write");
  }

  @Test
  void it_is_cleared_once() {
    Paper terminal = Paper.terminal(true, 80);
    var bar = new ProgressBar(terminal.screen(), () -> now);
    bar.show(new Progress("quantize", 1, 4, "modules", ""));
    int drawn = terminal.text().length();

    bar.clear();
    bar.clear();

    assertThat(terminal.text().substring(drawn)).isEqualTo("\r\u001b[K");
  }
}
