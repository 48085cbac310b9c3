package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("The range of an input")
class RangesTest {

  private static final int SAMPLES = 64;
  private static final int PIXELS = 64;

  @TempDir private Path folder;

  /** Normally distributed scans, with one other value in each so many samples. */
  private static CalibrationDataset scans(float value, int every) {
    var random = new Random(3);
    float[] values = new float[SAMPLES * PIXELS];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    for (int sample = 0; sample < SAMPLES; sample += every) {
      values[sample * PIXELS + 7] = value;
    }
    return CalibrationDataset.of(
        List.of(TensorBatch.of(Tensor.ofFloats(values, SAMPLES, 1, 8, 8))));
  }

  private SavedModel quantized(String dtype, CalibrationDataset data) {
    return Quantization.of(TestModels.digits("resnet_scripted.pt"))
        .rule("stem", Map.of("dtype", "int8"), Map.of("dtype", dtype))
        .option("target", "portable")
        .set("verify", Map.of("enabled", false))
        .data(data)
        .into(folder);
  }

  private static ModuleReport stem(SavedModel saved) {
    return saved.report().modules().stream()
        .filter(module -> module.decision().module().equals("stem"))
        .findFirst()
        .orElseThrow();
  }

  private static List<QuantizationWarning> warnings(SavedModel saved) {
    return saved.report().warnings().stream()
        .filter(warning -> warning.kind() == QuantizationWarning.Kind.CALIBRATION)
        .toList();
  }

  @ParameterizedTest
  @CsvSource({
    "1e4, 'has a few values up to 1.00e+04, and more than 99.9 % of the others become 0'",
    "-600, 'has a few values up to 600, and '"
  })
  void that_outliers_take_is_warned_of(float outlier, String message) {
    SavedModel saved = quantized("int8", scans(outlier, SAMPLES));

    assertThat(warnings(saved))
        .singleElement()
        .satisfies(
            warning -> {
              assertThat(warning.message()).startsWith("the input of stem " + message);
              assertThat(warning.message()).contains("choose algorithm mse");
              assertThat(warning.modules()).containsExactly("stem");
            });
    assertThat(stem(saved).activations().isQuantized()).isTrue();
  }

  @Test
  void that_values_fill_is_not_warned_of() {
    assertThat(warnings(quantized("int8", scans(3, 1)))).isEmpty();
  }

  @Test
  void of_float8_loses_no_small_values_to_outliers() {
    assertThat(warnings(quantized("fp8_e4m3fn", scans(600, SAMPLES)))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(floats = {-Float.MAX_VALUE, 2e30f})
  void with_masks_leaves_the_activation_native_and_says_so(float mask) {
    SavedModel saved = quantized("int8", scans(mask, 1));

    assertThat(stem(saved).activations().isQuantized()).isFalse();
    assertThat(stem(saved).activations().reason()).contains("masks");
    assertThat(warnings(saved))
        .singleElement()
        .satisfies(
            warning -> {
              assertThat(warning.modules()).containsExactly("stem");
              assertThat(warning.message())
                  .startsWith("the activations of stem stay native: the input has values beyond")
                  .contains("rounds all others to zero");
            });
  }

  @Test
  void of_zeros_alone_leaves_the_activation_native_and_says_so() {
    SavedModel saved = quantized("int8", Data.constant(0, 4, 1, 8, 8));

    assertThat(stem(saved).activations().isQuantized()).isFalse();
    assertThat(warnings(saved))
        .singleElement()
        .satisfies(
            warning ->
                assertThat(warning.message())
                    .isEqualTo(
                        "the activations of stem stay native: the input was always zero in the"
                            + " calibration data; add data that gives it other values"));
  }
}
