package dev.kvant.runtime.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.ElementType;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.runtime.data.PaddedPositions;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class OutputComparisonTest {

  private static final float NAN = Float.NaN;
  private static final PaddedPositions NO_PADDING =
      PaddedPositions.of(new TensorBatch(Map.of("input_ids", Tensor.ofLongs(new long[1], 1, 1))));

  @Test
  void gives_the_ratio_of_signal_to_noise_of_each_output() {
    // 10·log10((9 + 16) / (0.25 + 0)) = 20 dB
    OutputComparison comparison = compared(outputs(3, 4), outputs(3.5f, 4));

    assertThat(comparison.fault()).isEmpty();
    assertThat(comparison.sqnrByOutput())
        .hasEntrySatisfying("logits", ratio -> assertThat(ratio).isCloseTo(20, within(1e-9)));
  }

  @Test
  void equal_outputs_have_no_noise() {
    assertThat(compared(outputs(1, 2), outputs(1, 2)).sqnrByOutput())
        .containsEntry("logits", Double.POSITIVE_INFINITY);
  }

  @Test
  void noise_above_the_signal_is_a_fault() {
    assertThat(compared(outputs(1, 1), outputs(-1, 1.5f)).fault())
        .contains("output 'logits' has an SQNR of -3.3 dB, below the minimum of 0.0 dB");
  }

  @Test
  void numbers_in_a_fault_are_the_same_in_every_locale() {
    Locale before = Locale.getDefault();
    Locale.setDefault(new Locale("ar", "EG"));
    try {
      assertThat(compared(outputs(1, 1), outputs(-1, 1.5f)).fault())
          .contains("output 'logits' has an SQNR of -3.3 dB, below the minimum of 0.0 dB");
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void values_that_are_not_finite_are_a_fault_only_where_the_source_has_finite_ones() {
    assertThat(compared(outputs(1, NAN), outputs(1, 7)).fault()).isEmpty();
    assertThat(compared(outputs(1, 2), outputs(1, NAN)).fault())
        .contains("output 'logits' has 1 values that are not finite, where the source's are");
  }

  @Test
  void a_missing_output_another_type_and_another_rank_are_faults() {
    assertThat(compared(outputs(1, 2), Map.of("x", Tensor.ofFloats(new float[] {1}, 1))).fault())
        .contains("it has no output 'logits', only [x]");
    assertThat(
            compared(outputs(1, 2), Map.of("logits", Tensor.ofLongs(new long[] {1, 2}, 2))).fault())
        .contains("output 'logits' is int64, and float32 in the source");
    assertThat(
            compared(outputs(1, 2), Map.of("logits", Tensor.ofFloats(new float[] {1, 2}, 1, 2)))
                .fault())
        .contains("output 'logits' has the shape [1, 2], and [2] in the source");
  }

  @Test
  void a_length_that_depends_on_values_is_not_compared() {
    OutputComparison comparison = compared(outputs(1, 2, 3), outputs(1, 2), Set.of("logits"));

    assertThat(comparison.fault()).isEmpty();
    assertThat(comparison.sqnrByOutput()).isEmpty();
  }

  @Test
  void another_length_of_an_output_that_depends_on_shapes_alone_is_a_fault() {
    assertThat(compared(outputs(1, 2, 3), outputs(1, 2)).fault())
        .contains("output 'logits' has the shape [2], and [3] in the source");
  }

  @Test
  void outputs_at_padded_positions_are_not_compared() {
    PaddedPositions padding =
        PaddedPositions.of(
            new TensorBatch(
                Map.of("attention_mask", Tensor.ofLongs(new long[] {1, 1, 1, 0}, 2, 2))));
    Tensor source = Tensor.ofFloats(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 2, 2, 2);
    Tensor artifact = Tensor.ofFloats(new float[] {1, 2, 3, 4, 5, 6, -70, NAN}, 2, 2, 2);

    assertThat(
            OutputComparison.of(
                    Map.of("tokens", source), Map.of("tokens", artifact), padding, 0, Set::of)
                .sqnrByOutput())
        .containsEntry("tokens", Double.POSITIVE_INFINITY);
  }

  @Test
  void of_float8_there_is_only_the_type() {
    Map<String, Tensor> codes =
        Map.of(
            "codes",
            Tensor.of(ElementType.FLOAT8_E4M3FN, List.of(2L), ByteBuffer.wrap(new byte[] {1, 2})));

    assertThat(compared(codes, codes)).isEqualTo(OutputComparison.NOTHING);
  }

  private static OutputComparison compared(
      Map<String, Tensor> source, Map<String, Tensor> artifact) {
    return compared(source, artifact, Set.of());
  }

  private static OutputComparison compared(
      Map<String, Tensor> source, Map<String, Tensor> artifact, Set<String> dependingOnValues) {
    return OutputComparison.of(source, artifact, NO_PADDING, 0, () -> dependingOnValues);
  }

  private static Map<String, Tensor> outputs(float... values) {
    return Map.of("logits", Tensor.ofFloats(values, values.length));
  }
}
