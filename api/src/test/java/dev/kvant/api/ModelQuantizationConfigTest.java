package dev.kvant.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A configuration")
class ModelQuantizationConfigTest {

  private static final ModelQuantizationConfig FULL =
      ModelQuantizationConfig.builder()
          .backend("modelopt")
          .mode(QuantizationMode.STATIC_PTQ)
          .algorithm(CalibrationAlgorithm.MSE)
          .defaultLayerDtype(Dtype.INT8)
          .defaultActivationDtype(Dtype.FP8_E5M2)
          .layer("Linear", Dtype.INT8, Dtype.INT8)
          .layer("*.head", Dtype.NATIVE)
          .skip("*.norm")
          .moduleClass("*.position", "Embedding")
          .modelPath(Path.of("model.pt"))
          .resultsDir(Path.of("out"))
          .backendKwarg("target", "cpu")
          .calibration(
              CalibrationConfig.builder(Path.of("c.npz")).batchSize(8).maxBatches(4).build())
          .evaluation(EvaluationConfig.of(Path.of("e.npz"), 16))
          .strict(false)
          .device(Device.of("cuda:1"))
          .build();

  @Test
  void survives_a_way_through_its_builder_unchanged() {
    assertThat(FULL.toBuilder().build()).isEqualTo(FULL);
  }

  @Test
  void is_strict_native_and_on_the_cpu_by_default() {
    ModelQuantizationConfig config = ModelQuantizationConfig.builder().backend("torchao").build();

    assertThat(config.strict()).isTrue();
    assertThat(config.defaultDtype(Operand.WEIGHTS)).isEqualTo(Dtype.NATIVE);
    assertThat(config.defaultDtype(Operand.ACTIVATIONS)).isEqualTo(Dtype.NATIVE);
    assertThat(config.algorithm()).isEqualTo(CalibrationAlgorithm.MINMAX);
    assertThat(config.device()).isEqualTo(Device.CPU);
    assertThat(config.mode()).isNull();
  }

  @Test
  void keeps_its_rules_in_the_order_they_were_added() {
    assertThat(FULL.layers())
        .extracting(LayerQuantizationConfig::moduleName)
        .containsExactly("Linear", "*.head");
  }
}
