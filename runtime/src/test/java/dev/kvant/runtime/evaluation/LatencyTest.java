package dev.kvant.runtime.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The times of batches")
class LatencyTest {

  private static Latency descending(int batches) {
    Latency latency = new Latency();
    for (int millis = batches; millis >= 1; millis--) {
      latency.add(millis * 1_000_000L);
    }
    return latency;
  }

  @Test
  void have_a_median() {
    assertThat(descending(5).medianMillis()).isEqualTo(3);
    assertThat(descending(4).medianMillis()).isEqualTo(2.5);
  }

  @Test
  void are_listed_in_ascending_order() {
    assertThat(descending(3).millis()).containsExactly(1.0, 2.0, 3.0);
  }

  @Test
  void are_all_listed_up_to_the_limit() {
    assertThat(descending(Latency.LISTED).millis()).hasSize(Latency.LISTED).isSorted();
  }

  @Test
  void beyond_the_limit_are_thinned_out_evenly_between_the_first_and_the_last() {
    assertThat(descending(1_000).millis())
        .hasSize(Latency.LISTED)
        .isSorted()
        .doesNotHaveDuplicates()
        .startsWith(1.0, 6.0, 11.0)
        .endsWith(1_000.0);
  }
}
