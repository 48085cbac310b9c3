package dev.kvant.backend.onnx;

import static dev.kvant.backend.onnx.SmallGraph.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Dtype;
import dev.kvant.api.Requirement;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("What a graph requires")
class OnnxRequirementsTest {

  private static final int SIZE = 32;
  private static final Plans.Wish INT8 = Plans.Wish.both(Dtype.INT8);

  @TempDir private Path folder;

  private Path source(int opset) {
    return SmallGraph.ofFloats()
        .opset(opset)
        .input("x", -1, SIZE)
        .constant("w", normal(1, SIZE * SIZE, 1), SIZE, SIZE)
        .node("MatMul", "mm", List.of("x", "w"), "y")
        .output("y", -1, SIZE)
        .write(folder);
  }

  private static CalibrationDataset data() {
    return CalibrationDataset.of(
        List.of(new TensorBatch(Map.of("x", Tensor.ofFloats(normal(2, SIZE, 1), 1, SIZE)))));
  }

  private List<Requirement> of(Quantization quantization, int opset) {
    return quantization.run(source(opset), folder.resolve("out")).report().requirements();
  }

  @ParameterizedTest
  @CsvSource({"17, 1.19.2", "21, 1.19.2", "22, 1.21", "23, 1.23"})
  void the_opset_decides_the_version(int opset, String version) {
    assertThat(of(Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8)), opset))
        .containsExactly(Requirement.version("ONNX Runtime", version, "opset " + opset));
  }

  @ParameterizedTest
  @CsvSource({"8, 1.22, MatMulNBits with 8 bits", "4, 1.19.2, opset 17"})
  void blocks_of_8_bits_require_a_newer_version_than_those_of_4(
      int bits, String version, String reason) {
    assertThat(
            of(
                Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8))
                    .with("kernel", "nbits")
                    .with("bits", bits),
                17))
        .containsExactly(Requirement.version("ONNX Runtime", version, reason));
  }

  @Test
  void tables_in_blocks_require_a_newer_version_still() {
    Path table =
        SmallGraph.ofFloats()
            .indices("i", -1)
            .constant("table", normal(1, 50 * 64, 1), 50, 64)
            .node("Gather", "embedding", List.of("table", "i"), "y")
            .output("y", -1, 64)
            .write(folder);

    assertThat(
            Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8))
                .with("kernel", "nbits")
                .with("embedding_bits", 4)
                .run(table, folder.resolve("out"))
                .report()
                .requirements())
        .containsExactly(
            Requirement.version("ONNX Runtime", "1.23", "GatherBlockQuantized of uint8"));
  }

  @ParameterizedTest
  @CsvSource({"auto", "true"})
  void products_that_cannot_overflow_require_no_vnni(String reduceRange) {
    Requirement expected =
        new Requirement(
            "VNNI",
            "not needed",
            "reduce_range: %s keeps sums of two products within 16 bits".formatted(reduceRange));

    assertThat(
            of(Quantization.staticOf(module -> INT8, data()).with("reduce_range", reduceRange), 17))
        .contains(expected);
    assertThat(of(Quantization.dynamicOf(module -> INT8).with("reduce_range", reduceRange), 17))
        .contains(expected);
  }

  @Test
  void products_that_can_overflow_require_vnni_or_the_option_of_sessions() {
    List<Requirement> requirements =
        of(Quantization.staticOf(module -> INT8, data()).with("reduce_range", "false"), 17);

    assertThat(requirements)
        .extracting(Requirement::of, Requirement::value)
        .containsExactly(
            tuple("ONNX Runtime", "1.19.2 or newer"),
            tuple("VNNI", "needed on x86-64"),
            tuple("session.x64quantprecision", "1 without VNNI"));
  }

  @Test
  void float8_for_tensorrt_runs_on_no_cpu() {
    assertThat(
            of(
                Quantization.staticOf(module -> Plans.Wish.both(Dtype.FP8_E4M3FN), data())
                    .with("target", "tensorrt"),
                19))
        .contains(
            new Requirement(
                "TensorRT",
                "needed",
                "ONNX Runtime has no float8 kernels for CPUs in any version"));
  }
}
