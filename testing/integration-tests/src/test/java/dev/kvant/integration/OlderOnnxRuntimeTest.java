package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.graph.OnnxWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What LangChain4j, Spring AI and DJL bring comes first in a build with Maven. */
@DisplayName("Kvant with an older ONNX Runtime")
class OlderOnnxRuntimeTest {

  /** Where the build puts the jars of other versions. */
  private static final Path RUNTIMES = Path.of("target", "runtimes");

  private static final String COMMAND = "dev.kvant.cli.Main";
  private static final String SPEC = "examples/digits/onnx-static-int8.yaml";

  @TempDir private Path folder;

  private static Path jar(String version) {
    return RUNTIMES.resolve("onnxruntime-%s.jar".formatted(version));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.19.2", "1.20.0"})
  void calibrates_verifies_and_evaluates_and_writes_the_same_bytes(String version)
      throws Exception {
    Path older = folder.resolve(version);
    Path newer = folder.resolve("newer");

    OwnProcess process =
        OwnProcess.runWith(
            jar(version), COMMAND, "quantize", "-c", SPEC, "--out", older.toString());
    OwnProcess reference =
        OwnProcess.run(
            COMMAND, "quantize", "-c", SPEC, "--out", newer.toString(), "--format", "json");

    assertThat(process.output())
        .contains("quantized_model.onnx  verified")
        .contains("600 samples of examples/digits/data/test.npz");
    assertThat(process.exitCode()).isZero();
    assertThat(reference.exitCode()).isZero();
    assertThat(older.resolve("quantized_model.onnx"))
        .hasSameBinaryContentAs(newer.resolve("quantized_model.onnx"));
  }

  /** Before 1.21 a graph in memory cannot refer to them. */
  @Test
  void calibrates_a_model_whose_tensors_are_in_a_file_of_their_own() throws Exception {
    Path model = folder.resolve("model.onnx");
    Path data = Files.createFile(folder.resolve("tensors.data"));
    try (OnnxFile file =
        OnnxFile.open(Checkout.ROOT.resolve("examples/digits/models/resnet.onnx"))) {
      OnnxWriter.write(file.load(), model, data, "tensors.data");
    }

    OwnProcess process =
        OwnProcess.runWith(
            jar("1.19.2"),
            COMMAND,
            "quantize",
            "-c",
            SPEC,
            "--model",
            model.toString(),
            "--out",
            folder.resolve("out").toString());

    assertThat(process.output()).contains("quantized_model.onnx  verified");
    assertThat(process.exitCode()).isZero();
  }
}
