package dev.kvant.runtime.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.Tensor;
import dev.kvant.api.Verification.Status;
import dev.kvant.runtime.FakeModel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class StoredWeightsTest {

  private static final Tensor BIAS = floats(1, 2);

  private final FakeModel source =
      new FakeModel()
          .with("fc", "Linear")
          .with("norm", "LayerNorm")
          .holding("fc.weight", floats(3, 4))
          .holding("norm.bias", BIAS);

  @Test
  void a_quantized_weight_has_the_ratio_of_the_report() {
    // 10·log10((9 + 16) / 0.25) = 20 dB
    StoredWeights weights = compare(floats(3.5f, 4), BIAS, 20.0);

    assertThat(weights.status()).isEqualTo(Status.VERIFIED);
    assertThat(weights.compared()).isEqualTo(2);
    assertThat(weights.sqnrByTensor()).containsOnlyKeys("fc.weight");
    assertThat(weights.sqnrByTensor().get("fc.weight")).isCloseTo(20, within(1e-9));
  }

  @Test
  void another_ratio_than_the_report_states_is_a_fault() {
    assertThat(compare(floats(3.5f, 4), BIAS, 40.0).reason())
        .isEqualTo(
            "tensor 'fc.weight' has an SQNR of 20.0 dB as it is read back, and the report says 40.0"
                + " dB");
    assertThat(compare(floats(3.5f, 4), BIAS, null).status()).isEqualTo(Status.VERIFIED);
  }

  @Test
  void rounding_to_bfloat16_may_change_the_ratio_of_the_report() {
    // The codes stood for 200.6 and 100.3, which bfloat16 rounds to 201 and 100.5.
    source.holding("fc.weight", brains(200, 100));
    double reported = 10 * Math.log10(50_000 / (0.6 * 0.6 + 0.3 * 0.3));

    assertThat(compare(brains(201, 100.5f), BIAS, reported).status()).isEqualTo(Status.VERIFIED);
    assertThat(compare(brains(204, 102), BIAS, reported).status()).isEqualTo(Status.REJECTED);
    assertThat(compare(brains(0, 0), BIAS, reported).status()).isEqualTo(Status.REJECTED);
  }

  @Test
  void buffers_of_modules_without_weights_may_be_left_out() {
    source.holding("positions", floats(0, 0.5f));
    source.holding("norm.count", Tensor.ofLongs(new long[] {7}, 1));

    assertThat(compare(floats(3.5f, 4), BIAS, 20.0).status()).isEqualTo(Status.VERIFIED);
  }

  @Test
  void a_weight_that_is_stored_exactly_is_right_whatever_the_report_states() {
    StoredWeights weights = compare(floats(3, 4), BIAS, 40.0);

    assertThat(weights.status()).isEqualTo(Status.VERIFIED);
    assertThat(weights.sqnrByTensor()).isEmpty();
  }

  @Test
  void a_tensor_that_is_not_quantized_must_be_equal() {
    assertThat(compare(floats(3, 4), floats(1, 2.5f), 20.0).reason())
        .isEqualTo("tensor 'norm.bias' differs from the source's, and its module is not quantized");
    assertThat(compare(floats(3, 4), floats(1), 20.0).reason())
        .isEqualTo("tensor 'norm.bias' is float32[1], and float32[2] in the source");
    assertThat(
            StoredWeights.of(
                    source, new FakeModel().holding("fc.weight", floats(3, 4)), report(20.0))
                .reason())
        .isEqualTo("it has no tensor 'norm.bias'");
  }

  @Test
  void values_that_are_not_finite_are_a_fault() {
    assertThat(compare(floats(Float.NaN, 4), BIAS, 20.0).reason())
        .isEqualTo("tensor 'fc.weight' has 1 values that are not finite");
  }

  @Test
  void integers_are_compared_too() {
    source.holding("norm.count", Tensor.ofLongs(new long[] {7}, 1));
    FakeModel artifact =
        new FakeModel()
            .holding("fc.weight", floats(3, 4))
            .holding("norm.bias", BIAS)
            .holding("norm.count", Tensor.ofLongs(new long[] {8}, 1));

    assertThat(StoredWeights.of(source, artifact, report(20.0)).reason())
        .startsWith("tensor 'norm.count' differs");
  }

  @Test
  void a_form_that_the_reader_does_not_dequantize_is_not_verified() {
    FakeModel codes =
        new FakeModel()
            .holding("fc.weight", Tensor.ofLongs(new long[] {1, 2}, 2))
            .holding("norm.bias", BIAS);

    StoredWeights weights = StoredWeights.of(source, codes, report(20.0));

    assertThat(weights.status()).isEqualTo(Status.NOT_VERIFIED);
    assertThat(weights.reason())
        .contains("does not dequantize the form in which it holds 'fc.weight'");
  }

  @Test
  void without_tensors_nothing_is_verified() {
    assertThat(StoredWeights.of(new FakeModel(), new FakeModel(), report(20.0)).status())
        .isEqualTo(Status.NOT_VERIFIED);
  }

  private StoredWeights compare(Tensor weight, Tensor bias, @Nullable Double reported) {
    return StoredWeights.of(
        source,
        new FakeModel().holding("fc.weight", weight).holding("norm.bias", bias),
        report(reported));
  }

  private static QuantizationReport report(@Nullable Double sqnr) {
    OperandDecision int8 =
        new OperandDecision(
            Dtype.INT8, Dtype.INT8, null, List.of(), null, Map.of(), OperandSettings.DEFAULT);
    ModuleReport fc =
        ModuleReport.builder(
                new ModuleDecision("fc", "Linear", false, int8, OperandDecision.untouched()))
            .weights(OperandOutcome.quantized(Dtype.INT8, null, sqnr))
            .build();
    return new QuantizationReport("fake", QuantizationMode.WEIGHT_ONLY_PTQ, List.of(fc), List.of());
  }

  private static Tensor brains(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putShort((short) (Float.floatToRawIntBits(value) >> 16));
    }
    return Tensor.of(ElementType.BFLOAT16, List.of((long) values.length), bytes.flip());
  }

  private static Tensor floats(float... values) {
    return Tensor.ofFloats(values, values.length);
  }
}
