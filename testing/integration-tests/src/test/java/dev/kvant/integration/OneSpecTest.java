package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.SavedModel;
import dev.kvant.runtime.Kvant;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("One spec serves the archive and the graph of one model")
class OneSpecTest {

  private static final Path MODELS = Path.of("..", "..", "examples", "digits", "models");

  private static final Path CALIBRATION = MODELS.resolveSibling("data/calibration.npz");

  @TempDir private Path folder;

  @Test
  void of_a_convolutional_network() {
    ModelQuantizationConfig rules =
        ModelQuantizationConfig.builder()
            .backend("torchao")
            .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
            .layer("Linear", Dtype.INT8)
            .layer("head.3", Dtype.FP8_E4M3FN)
            .skip("stem")
            .build();

    Map<String, Dtype> archive = quantized(rules, "resnet_traced.pt");
    Map<String, Dtype> graph = quantized(onnx(rules), "resnet.onnx");

    assertThat(graph)
        .isEqualTo(archive)
        .containsOnly(Map.entry("head.1", Dtype.INT8), Map.entry("head.3", Dtype.FP8_E4M3FN));
  }

  @Test
  void of_a_transformer() {
    ModelQuantizationConfig rules =
        ModelQuantizationConfig.builder()
            .backend("torchao")
            .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
            .layer("Linear", Dtype.INT8)
            .layer("encoder.layers.*.linear2", Dtype.FP8_E5M2)
            .skip("*.self_attn*")
            .skip("encoder.layers.1.linear1")
            .build();

    Map<String, Dtype> archive = quantized(rules, "transformer_traced.pt");
    Map<String, Dtype> graph = quantized(onnx(rules), "transformer.onnx");

    assertThat(graph)
        .isEqualTo(archive)
        .containsOnly(
            Map.entry("patch", Dtype.INT8),
            Map.entry("encoder.layers.0.linear1", Dtype.INT8),
            Map.entry("encoder.layers.0.linear2", Dtype.FP8_E5M2),
            Map.entry("encoder.layers.1.linear2", Dtype.FP8_E5M2),
            Map.entry("head", Dtype.INT8));
  }

  @Test
  void with_activations_and_calibration_data() {
    ModelQuantizationConfig rules =
        ModelQuantizationConfig.builder()
            .backend("modelopt")
            .mode(QuantizationMode.STATIC_PTQ)
            .layer("Linear", Dtype.INT8, Dtype.INT8)
            .layer("Conv2d", Dtype.INT8, Dtype.INT8)
            .layer("head.3", Dtype.FP8_E4M3FN, Dtype.FP8_E4M3FN)
            .skip("stem")
            .calibration(CalibrationConfig.builder(CALIBRATION).batchSize(32).maxBatches(2).build())
            .build();

    Map<String, Dtype> archive = quantized(rules, "resnet_traced.pt");
    Map<String, Dtype> graph = quantized(onnx(rules), "resnet.onnx");

    assertThat(graph)
        .isEqualTo(archive)
        .containsEntry("head.1", Dtype.INT8)
        .containsEntry("head.3", Dtype.FP8_E4M3FN)
        .containsEntry("layers.0.conv1", Dtype.INT8)
        .doesNotContainKey("stem");
  }

  private static ModelQuantizationConfig onnx(ModelQuantizationConfig rules) {
    return rules.toBuilder().backend("onnx").build();
  }

  /** What becomes of each module that is quantized, by its path in PyTorch. */
  private Map<String, Dtype> quantized(ModelQuantizationConfig config, String model) {
    try (Kvant kvant = Kvant.create();
        QuantizableModel source = kvant.load(MODELS.resolve(model));
        ModelQuantizer quantizer =
            kvant.quantizer(config.toBuilder().resultsDir(folder.resolve(model)).build())) {
      PreparedModel prepared = quantizer.prepare(source);
      CalibrationConfig data = config.calibration();
      if (data != null) {
        quantizer.calibrate(prepared, kvant.calibrationData(data, source));
      }
      quantizer.quantize(prepared);
      SavedModel saved = quantizer.saveModel();

      assertThat(saved.artifacts()).extracting(Artifact::path).allMatch(Files::isRegularFile);
      QuantizationPlan plan = prepared.plan();
      Map<String, Dtype> quantized = new TreeMap<>();
      for (ModuleDescription module : source.modules()) {
        plan.module(module.name())
            .filter(ModuleDecision::isQuantized)
            .ifPresent(decision -> quantized.put(path(module), decision.weights().dtype()));
      }
      return quantized;
    }
  }

  /** An archive has one name for a module, a graph has that of its node first. */
  private static String path(ModuleDescription module) {
    return module.names().get(module.names().size() - 1);
  }
}
