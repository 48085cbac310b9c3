package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.OperatorReport;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.runtime.Kvant;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Rules for operators without weights of a trained residual network")
class OperatorRulesTest {

  private static final Path DIGITS = Checkout.ROOT.resolve("examples/digits");
  private static final Path MODEL = DIGITS.resolve("models/resnet.onnx");
  private static final String FIRST_SUM = "/layers/layers.0/Add";
  private static final String SECOND_SUM = "/layers/layers.1/Add";

  @TempDir private Path folder;

  @Test
  void compute_sums_in_int8_where_no_rule_says_otherwise() {
    assertThat(names(quantized(config()), "Add", Dtype.INT8)).contains(FIRST_SUM);
  }

  @Test
  void keep_a_sum_float_that_is_skipped_by_name() {
    QuantizationReport report = quantized(config().skip(FIRST_SUM));

    assertThat(names(report, "Add", Dtype.NATIVE)).contains(FIRST_SUM);
    assertThat(names(report, "Add", Dtype.INT8)).doesNotContain(FIRST_SUM);
    assertThat(reason(report, FIRST_SUM)).isEqualTo("by skip_names[0] '%s'".formatted(FIRST_SUM));
  }

  @Test
  void keep_all_sums_float_that_are_skipped_by_class() {
    QuantizationReport report = quantized(config().skip("Add"));

    assertThat(names(report, "Add", Dtype.NATIVE)).containsExactly(FIRST_SUM, SECOND_SUM);
    assertThat(report.warnings()).isEmpty();
  }

  private static ModelQuantizationConfig.Builder config() {
    return ModelQuantizationConfig.builder()
        .backend("onnx")
        .mode(QuantizationMode.STATIC_PTQ)
        .layer("*", Dtype.INT8)
        .defaultActivationDtype(Dtype.INT8)
        .backendKwarg("optimize", "speed");
  }

  private static List<String> names(QuantizationReport report, String type, Dtype dtype) {
    return report.operators().stream()
        .filter(each -> each.type().equals(type) && each.outcome().dtype().equals(dtype))
        .flatMap(each -> each.operators().stream())
        .toList();
  }

  private static String reason(QuantizationReport report, String operator) {
    return report.operators().stream()
        .filter(each -> each.operators().contains(operator))
        .map(OperatorReport::outcome)
        .map(outcome -> String.valueOf(outcome.reason()))
        .findFirst()
        .orElseThrow();
  }

  /** The report of an artifact, as its record gives it back. */
  private QuantizationReport quantized(ModelQuantizationConfig.Builder config) {
    try (Kvant kvant = Kvant.create();
        QuantizableModel model = kvant.load(MODEL);
        ModelQuantizer quantizer = kvant.quantizer(config.build())) {
      SavedModel saved =
          quantizer.saveModel(
              quantizer.quantizeModel(
                  model,
                  kvant.calibrationData(
                      CalibrationConfig.of(DIGITS.resolve("data/calibration.npz")), model)),
              folder);
      try (QuantizableModel artifact = kvant.load(saved.artifacts().get(0).path())) {
        QuantizationReport report = kvant.report(artifact).orElseThrow();
        assertThat(report.operators()).isEqualTo(saved.report().operators());
        return report;
      }
    }
  }
}
