package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.graph.OnnxWriter;
import dev.kvant.runtime.Kvant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A graph whose tensors are in a file that is named as an artifact")
class TensorsBesideGraphTest {

  private static final Path MODEL = Path.of("..", "..", "examples/digits/models/resnet.onnx");
  private static final String DATA = "quantized_model.onnx.data";

  @TempDir private Path folder;

  private byte[] before = {};

  private Path model() {
    return folder.resolve("model.onnx");
  }

  @BeforeEach
  void writeModel() throws IOException {
    Path data = Files.createFile(folder.resolve(DATA));
    try (OnnxFile file = OnnxFile.open(MODEL)) {
      OnnxWriter.write(file.load(), model(), data, DATA);
    }
    before = Files.readAllBytes(data);
  }

  private static ModelQuantizationConfig.Builder config() {
    return ModelQuantizationConfig.builder()
        .backend("onnx")
        .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
        .layer("*", Dtype.INT8)
        .strict(false);
  }

  private SavedModel save(ModelQuantizationConfig config, Path directory) {
    try (Kvant kvant = Kvant.create();
        QuantizableModel model = kvant.load(model());
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      return quantizer.saveModel(quantizer.quantizeModel(model), directory);
    }
  }

  private void assertThatNothingWasReplaced() {
    assertThat(folder)
        .isDirectoryNotContaining("glob:**/quantized_model.onnx")
        .isDirectoryNotContaining("glob:**/.*");
    assertThat(folder.resolve(DATA)).hasBinaryContent(before);
  }

  @Test
  void is_not_replaced_by_its_own_artifact() {
    assertThatExceptionOfType(UnsupportedModelException.class)
        .isThrownBy(() -> save(config().backendKwarg("external_data", true).build(), folder))
        .withMessageContaining(DATA)
        .withMessageEndingWith("save into another folder");
    assertThatNothingWasReplaced();
  }

  @Test
  void is_refused_before_the_long_work_where_the_folder_is_known() {
    ModelQuantizationConfig config =
        config().backendKwarg("external_data", true).resultsDir(folder).build();

    assertThatExceptionOfType(UnsupportedModelException.class)
        .isThrownBy(() -> save(config, folder.resolve("elsewhere")))
        .withMessageContaining(DATA)
        .withMessageEndingWith("save into another folder");
    assertThatNothingWasReplaced();
    assertThat(folder.resolve("elsewhere")).doesNotExist();
  }

  @Test
  void is_read_where_the_artifact_is_one_file_elsewhere() {
    assertThat(save(config().build(), folder.resolve("elsewhere")).artifacts()).hasSize(1);
  }
}
