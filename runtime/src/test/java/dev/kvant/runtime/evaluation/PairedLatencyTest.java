package dev.kvant.runtime.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A paired latency")
class PairedLatencyTest {

  @Test
  void is_the_median_of_the_ratios_of_pairs() {
    // Ratios 2, 3, 1: the machine was slow for both in the last pair.
    PairedLatency latency =
        PairedLatency.of(
            new long[] {2_000_000, 3_000_000, 9_000_000},
            new long[] {1_000_000, 1_000_000, 9_000_000});
    assertThat(latency.speedup()).isEqualTo(2);
    assertThat(latency.referenceMillis()).isEqualTo(3);
    assertThat(latency.modelMillis()).isEqualTo(1);
    assertThat(latency.pairs()).isEqualTo(3);
    assertThat(latency.low()).isEqualTo(1);
    assertThat(latency.high()).isEqualTo(3);
  }

  @Test
  void has_an_interval_of_order_statistics() {
    // Ratios 1 to 25; 12.5 - 4.9 and 12.5 + 4.9 are the positions 7 and 18, from 0.
    long[] reference = new long[25];
    long[] model = new long[25];
    for (int i = 0; i < 25; i++) {
      reference[i] = 25L - i;
      model[i] = 1;
    }
    PairedLatency latency = PairedLatency.of(reference, model);
    assertThat(latency.speedup()).isEqualTo(13);
    assertThat(latency.low()).isEqualTo(8);
    assertThat(latency.high()).isEqualTo(19);
  }

  @Test
  void runs_both_in_turns_after_a_first_run() {
    List<String> runs = new ArrayList<>();
    PairedLatency latency =
        PairedLatency.measure(() -> runs.add("r"), () -> runs.add("m"), 3, 3, 0);
    assertThat(runs).containsExactly("r", "m", "r", "m", "m", "r", "r", "m");
    assertThat(latency.pairs()).isEqualTo(3);
  }

  @Test
  void needs_as_many_times_of_both() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PairedLatency.of(new long[] {1}, new long[0]))
        .withMessageContaining("0 and 1");
  }
}
