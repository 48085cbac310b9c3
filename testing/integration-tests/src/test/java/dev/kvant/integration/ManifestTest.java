package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.provenance.ArtifactManifest;
import dev.kvant.runtime.provenance.FolderCheck;
import dev.kvant.runtime.provenance.FolderCheck.CheckedFile;
import dev.kvant.runtime.provenance.FolderCheck.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("The manifest beside artifacts has the sum of every file, of every backend")
class ManifestTest {

  private static final Path MODELS = Path.of("..", "..", "examples", "digits", "models");

  private static final Path CALIBRATION = MODELS.resolveSibling("data/calibration.npz");

  @TempDir private Path folder;

  private void quantize(String backend, String mode, Path source) {
    boolean isStatic = mode.equals(QuantizationMode.STATIC_PTQ.name());
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend(backend)
            .mode(QuantizationMode.of(mode))
            .defaultLayerDtype(Dtype.INT8)
            .defaultActivationDtype(isStatic ? Dtype.INT8 : Dtype.NATIVE)
            .build();
    try (Kvant kvant = Kvant.create();
        QuantizableModel model = kvant.load(source);
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      quantizer.saveModel(
          isStatic
              ? quantizer.quantizeModel(
                  model, kvant.calibrationData(CalibrationConfig.of(CALIBRATION), model))
              : quantizer.quantizeModel(model),
          folder);
    }
  }

  private FolderCheck check() {
    return FolderCheck.of(folder, null, file -> false);
  }

  private List<Path> written() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> !file.endsWith(ArtifactManifest.NAME))
          .sorted()
          .toList();
    }
  }

  private void assertEachFileIsWatched() throws IOException {
    assertThat(check().differences(false)).isEmpty();
    assertThat(check().sources()).extracting(CheckedFile::result).containsOnly(Result.UNCHANGED);
    assertThat(written()).isNotEmpty();
    for (Path file : written()) {
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length - 1] ^= 1;
      Files.write(file, bytes);

      assertThat(check().differences(false))
          .containsExactly(
              new CheckedFile(
                  folder.relativize(file).toString(),
                  Result.CHANGED,
                  "its SHA-256 is another one"));

      bytes[bytes.length - 1] ^= 1;
      Files.write(file, bytes);
    }
    assertThat(check().differences(false)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "torchao, weight_only_ptq, resnet_traced.pt",
    "torchao, weight_only_ptq, transformer.pth",
    "modelopt, static_ptq, resnet_scripted.pt",
    "onnx, weight_only_ptq, transformer.onnx",
    "onnx, static_ptq, resnet.onnx",
    "compressed-tensors, weight_only_ptq, resnet.safetensors"
  })
  void of(String backend, String mode, String model) throws IOException {
    quantize(backend, mode, MODELS.resolve(model));

    assertEachFileIsWatched();
  }

  @Test
  void files_that_are_copied_from_the_source_too(@TempDir Path source) throws IOException {
    Files.copy(MODELS.resolve("resnet.safetensors"), source.resolve("model.safetensors"));
    Files.writeString(source.resolve("tokenizer.json"), "{}");
    Files.createDirectory(source.resolve("original"));
    Files.writeString(source.resolve("original").resolve("params"), "none");

    quantize("compressed-tensors", "weight_only_ptq", source);

    assertThat(written())
        .contains(folder.resolve("tokenizer.json"), folder.resolve("original").resolve("params"));
    assertEachFileIsWatched();
  }

  @Test
  void of_runs_of_several_backends_in_one_folder() throws IOException {
    quantize("torchao", "weight_only_ptq", MODELS.resolve("transformer.pth"));
    quantize("onnx", "weight_only_ptq", MODELS.resolve("transformer.onnx"));
    quantize("onnx", "weight_only_ptq", MODELS.resolve("resnet.onnx"));

    assertThat(check().runs()).hasSize(2);
    assertEachFileIsWatched();
  }
}
