package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.SavedModel;
import dev.kvant.runtime.Kvant;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("The file of a model")
class OpensOfSourceTest {

  private static final Path DIGITS = Path.of("..", "..", "examples", "digits");

  @TempDir private Path folder;

  @ParameterizedTest
  @DisplayName("is opened few times in a run, with calibration and verification")
  @CsvSource({
    "resnet_traced.pt, torchao, weight_only_ptq, 4",
    "resnet_traced.pt, modelopt, static_ptq, 4",
    "resnet.pth, torchao, weight_only_ptq, 4",
    "resnet.safetensors, torchao, weight_only_ptq, 4",
    "resnet.onnx, onnx, weight_only_ptq, 4",
    "resnet.onnx, onnx, static_ptq, 4"
  })
  void opens(String source, String backend, String mode, int most) {
    CountedFile file = CountedFile.of(DIGITS.resolve("models").resolve(source));
    boolean isStatic = mode.equals(QuantizationMode.STATIC_PTQ.name());
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend(backend)
            .mode(QuantizationMode.of(mode))
            .defaultLayerDtype(Dtype.INT8)
            .defaultActivationDtype(isStatic ? Dtype.INT8 : Dtype.NATIVE)
            .build();
    try (Kvant kvant = Kvant.create();
        QuantizableModel model = kvant.load(file.path());
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      SavedModel saved =
          quantizer.saveModel(
              isStatic
                  ? quantizer.quantizeModel(
                      model,
                      kvant.calibrationData(
                          CalibrationConfig.of(DIGITS.resolve("data/calibration.npz")), model))
                  : quantizer.quantizeModel(model),
              folder);

      assertThat(saved.artifacts()).isNotEmpty();
    }
    assertThat(file.opens()).as("opens of %s", source).hasSizeLessThanOrEqualTo(most);
  }
}
