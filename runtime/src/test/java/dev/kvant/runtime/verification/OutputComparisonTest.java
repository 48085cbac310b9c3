package dev.kvant.runtime.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.Tensor;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OutputComparisonTest {

  private static final float NAN = Float.NaN;

  @Test
  void gives_the_ratio_of_signal_to_noise_of_each_output() {
    // 10·log10((9 + 16) / (0.25 + 0)) = 20 dB
    OutputComparison comparison =
        OutputComparison.of(outputs(3, 4), outputs(3.5f, 4), Double.NEGATIVE_INFINITY);

    assertThat(comparison.fault()).isEmpty();
    assertThat(comparison.sqnrByOutput())
        .hasEntrySatisfying("logits", ratio -> assertThat(ratio).isCloseTo(20, within(1e-9)));
  }

  @Test
  void equal_outputs_have_no_noise() {
    assertThat(OutputComparison.of(outputs(1, 2), outputs(1, 2), 0).sqnrByOutput())
        .containsEntry("logits", Double.POSITIVE_INFINITY);
  }

  @Test
  void noise_above_the_signal_is_a_fault() {
    assertThat(OutputComparison.of(outputs(1, 1), outputs(-1, 1.5f), 0).fault())
        .contains("output 'logits' has an SQNR of -3.3 dB, below the minimum of 0.0 dB");
  }

  @Test
  void values_that_are_not_finite_are_a_fault_only_where_the_source_has_finite_ones() {
    assertThat(OutputComparison.of(outputs(1, NAN), outputs(1, 7), 0).fault()).isEmpty();
    assertThat(OutputComparison.of(outputs(1, 2), outputs(1, NAN), 0).fault())
        .contains("output 'logits' has 1 values that are not finite, where the source's are");
  }

  @Test
  void a_missing_output_another_type_and_another_rank_are_faults() {
    assertThat(
            OutputComparison.of(outputs(1, 2), Map.of("x", Tensor.ofFloats(new float[] {1}, 1)), 0)
                .fault())
        .contains("it has no output 'logits', only [x]");
    assertThat(
            OutputComparison.of(
                    outputs(1, 2), Map.of("logits", Tensor.ofLongs(new long[] {1, 2}, 2)), 0)
                .fault())
        .contains("output 'logits' is int64, and float32 in the source");
    assertThat(
            OutputComparison.of(
                    outputs(1, 2), Map.of("logits", Tensor.ofFloats(new float[] {1, 2}, 1, 2)), 0)
                .fault())
        .contains("output 'logits' has the shape [1, 2], and [2] in the source");
  }

  @Test
  void a_length_that_depends_on_values_is_not_compared() {
    OutputComparison comparison = OutputComparison.of(outputs(1, 2, 3), outputs(1, 2), 0);

    assertThat(comparison.fault()).isEmpty();
    assertThat(comparison.sqnrByOutput()).isEmpty();
  }

  private static Map<String, Tensor> outputs(float... values) {
    return Map.of("logits", Tensor.ofFloats(values, values.length));
  }
}
