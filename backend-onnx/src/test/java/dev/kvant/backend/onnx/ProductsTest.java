package dev.kvant.backend.onnx;

import static dev.kvant.backend.onnx.SmallGraph.magnitudes;
import static dev.kvant.backend.onnx.SmallGraph.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every layout of a product with a constant comes out right, or stays native with a reason. */
@DisplayName("A product with a constant")
class ProductsTest {

  @TempDir private Path folder;

  private static Quantization int8(TensorBatch data) {
    return Quantization.staticOf(module -> Plans.Wish.both(Dtype.INT8), Graphs.data(data))
        .with("optimize", "accuracy");
  }

  private SavedModel run(Quantization quantization, Path source) {
    return quantization.run(source, folder.resolve("out"));
  }

  private double sqnr(Quantization quantization, Path source, TensorBatch batch) {
    return SmallGraph.sqnr(source, run(quantization, source).artifacts().get(0).path(), batch);
  }

  @ParameterizedTest
  @CsvSource({
    "2, 1, 0, 0",
    "2, 1, 1, 1",
    "0.25, 3, 0, 1",
    "1, 0.5, 1, 0",
    "0, 1, 0, 0",
    "1, 0, 0, 0",
    "-3, 1, 0, 0",
    "1, 1, 1, 0"
  })
  void of_gemm_keeps_its_factors_and_its_bias(float alpha, float beta, int transA, int transB) {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", transA == 0 ? new long[] {-1, 8} : new long[] {8, -1})
            .constant("w", normal(1, 24, 1), transB == 0 ? new long[] {8, 3} : new long[] {3, 8})
            .constant("b", new float[] {50, -45, 30}, 3)
            .node(
                "Gemm",
                "g",
                List.of("x", "w", "b"),
                "y",
                Map.of("alpha", alpha, "beta", beta, "transA", transA, "transB", transB))
            .output("y", -1, 3);
    TensorBatch batch =
        graph.batch(
            magnitudes(normal(2, 128, 1)), transA == 0 ? new long[] {16, 8} : new long[] {8, 16});
    Path source = graph.write(folder);

    for (boolean outputs : List.of(false, true)) {
      assertThat(sqnr(int8(batch).with("quantize_outputs", outputs), source, batch))
          .isGreaterThan(35);
    }
    assertThat(sqnr(Quantization.dynamicOf(module -> Plans.Wish.both(Dtype.INT8)), source, batch))
        .isGreaterThan(30);
    assertThat(
            sqnr(
                Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8))
                    .with("kernel", "nbits"),
                source,
                batch))
        .isGreaterThan(35);
  }

  @ParameterizedTest
  @CsvSource({
    "4, 16, true, 48",
    "4, 16, false, 48",
    "4, 32, false, 40",
    "4, 64, false, 200",
    "4, 128, true, 200",
    "4, 256, false, 300",
    "8, 16, false, 48",
    "8, 32, true, 40",
    "8, 128, false, 200",
    "8, 256, false, 300"
  })
  void of_blocks_is_right_with_and_without_zero_points_and_adds_its_bias(
      int bits, int blockSize, boolean symmetric, int length) {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, length)
            .constant("w", magnitudes(normal(1, length * 6, 1)), length, 6)
            .constant("b", new float[] {50, -45, 30, 0, 7, 1}, 6)
            .constant("row", new float[] {50, -45, 30, 0, 7, 1}, 1, 6)
            .node("Gemm", "g", List.of("x", "w", "b"), "y", Map.of())
            .node("Gemm", "h", List.of("x", "w", "row"), "z", Map.of())
            .output("y", -1, 6)
            .output("z", -1, 6);
    TensorBatch batch = graph.batch(normal(2, 16 * length, 1), 16, length);
    Path source = graph.write(folder);

    SavedModel saved =
        run(
            Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8))
                .with("kernel", "nbits")
                .with("bits", bits)
                .with("block_size", blockSize)
                .with("symmetric", symmetric),
            source);

    Path artifact = saved.artifacts().get(0).path();
    assertThat(SmallGraph.sqnr(source, artifact, batch)).isGreaterThan(bits == 4 ? 20 : 40);
    assertThat(Graphs.nodes(artifact, "MatMulNBits")).hasSize(2);
    assertThat(Graphs.nodes(artifact, "Add"))
        .singleElement()
        .satisfies(add -> assertThat(add.inputs()).contains("row"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "tensorrt"})
  void of_more_than_two_dimensions_has_one_scale_where_integers_are_multiplied(String target) {
    for (long[] dims : new long[][] {{2, 8, 16}, {1, 8, 16}, {3, 2, 8, 16}}) {
      int elements = (int) Arrays.stream(dims).reduce(1, Math::multiplyExact);
      SmallGraph graph =
          SmallGraph.ofFloats()
              .input("x", 2, -1, 8)
              .constant("w", normal(1, elements, 1), dims)
              .node("MatMul", "mm", List.of("x", "w"), "y")
              .output("y");
      TensorBatch batch = graph.batch(normal(2, 80, 1), 2, 5, 8);
      Path source = graph.write(folder);

      SavedModel saved = run(int8(batch).with("target", target), source);

      assertThat(SmallGraph.sqnr(source, saved.artifacts().get(0).path(), batch)).isGreaterThan(30);
      assertThat(saved.report().modules())
          .singleElement()
          .satisfies(
              module -> {
                assertThat(module.weights().granularity()).isEqualTo(Granularity.TENSOR);
                assertThat(module.note()).contains("one scale");
              });
      SavedModel weights =
          run(Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8)), source);
      assertThat(SmallGraph.sqnr(source, weights.artifacts().get(0).path(), batch))
          .isGreaterThan(38);
      assertThat(weights.report().modules().get(0).weights().granularity())
          .isEqualTo(Granularity.axis(dims.length - 1));
    }
  }

  @Test
  void of_more_than_two_dimensions_has_one_scale_whatever_a_rule_asks_for() {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", 2, -1, 8)
            .constant("w", normal(1, 256, 1), 2, 8, 16)
            .node("MatMul", "mm", List.of("x", "w"), "y")
            .output("y", 2, -1, 16);
    TensorBatch batch = graph.batch(normal(2, 80, 1), 2, 5, 8);
    OperandSettings perColumn =
        new OperandSettings(Granularity.axis(2), CalibrationAlgorithm.MINMAX, Map.of());

    assertThat(
            sqnr(
                Quantization.staticOf(
                    module -> Plans.Wish.both(Dtype.INT8).with(perColumn), Graphs.data(batch)),
                graph.write(folder),
                batch))
        .isGreaterThan(30);
  }

  @ParameterizedTest
  @CsvSource({
    "Conv, 1, 1",
    "Conv, 2, 2",
    "Conv, 3, 1",
    "Conv, 1, 4",
    "Conv, 3, 2",
    "ConvTranspose, 1, 1",
    "ConvTranspose, 2, 2",
    "ConvTranspose, 3, 1",
    "ConvTranspose, 2, 4"
  })
  void of_convolutions_is_right_in_any_number_of_dimensions_and_groups(
      String operator, int dimensions, int group) {
    long[] dims = new long[dimensions + 2];
    Arrays.fill(dims, 3);
    dims[0] = operator.equals("Conv") ? 8 : 4;
    dims[1] = (operator.equals("Conv") ? 4 : 8) / group;
    long[] data = new long[dimensions + 2];
    Arrays.fill(data, 6);
    data[0] = 2;
    data[1] = 4;
    int weights = (int) Arrays.stream(dims).reduce(1, Math::multiplyExact);
    int values = (int) Arrays.stream(data).reduce(1, Math::multiplyExact);
    long[] input = data.clone();
    input[0] = -1;
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", input)
            .constant("w", normal(1, weights, 1), dims)
            .constant("b", normal(2, 8, 5), 8)
            .node(operator, "c", List.of("x", "w", "b"), "y", Map.of("group", group))
            .output("y");
    TensorBatch batch = graph.batch(normal(3, values, 1), data);
    Path source = graph.write(folder);

    for (String target : List.of("cpu", "tensorrt")) {
      for (boolean outputs : List.of(false, true)) {
        assertThat(
                sqnr(
                    int8(batch).with("target", target).with("quantize_outputs", outputs),
                    source,
                    batch))
            .isGreaterThan(30);
      }
    }
  }

  @Test
  void is_stored_for_each_direction_in_which_it_is_read() {
    float[] square = normal(1, 1024, 1);
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 32)
            .indices("i", 2)
            .constant("w", square, 32, 32)
            .node("Gemm", "g0", List.of("x", "w"), "a")
            .node("Gemm", "g1", List.of("x", "w"), "b", Map.of("transB", 1))
            .node("MatMul", "mm", List.of("x", "w"), "c")
            .node("Transpose", "t", List.of("x"), "x_t")
            .node("MatMul", "left", List.of("w", "x_t"), "d")
            .node("Gather", "table", List.of("w", "i"), "e")
            .output("a", -1, 32)
            .output("b", -1, 32)
            .output("c", -1, 32)
            .output("d", 32, -1)
            .output("e", 2, 32);
    TensorBatch batch =
        new TensorBatch(
            Map.of(
                "x",
                graph.tensor(normal(2, 512, 1), 16, 32),
                "i",
                Tensor.ofLongs(new long[] {3, 31}, 2)));
    Path source = graph.write(folder);

    for (String kernel : List.of("qdq", "nbits")) {
      assertThat(
              sqnr(
                  Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8))
                      .with("kernel", kernel),
                  source,
                  batch))
          .isGreaterThan(35);
    }
    assertThat(sqnr(Quantization.dynamicOf(module -> Plans.Wish.both(Dtype.INT8)), source, batch))
        .isGreaterThan(30);
    assertThat(sqnr(int8(batch), source, batch)).isGreaterThan(30);
  }

  @ParameterizedTest
  @CsvSource({"Gemm, 0", "Gemm, 1", "MatMul, 0"})
  void with_the_constant_on_the_left_is_quantized(String operator, int transA) {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", 4, -1)
            .constant("w", normal(1, 12, 1), transA == 0 ? new long[] {3, 4} : new long[] {4, 3})
            .constant("b", new float[] {9, -8, 7, -6, 5}, 5);
    if (operator.equals("Gemm")) {
      graph.node("Gemm", "p", List.of("w", "x", "b"), "y", Map.of("transA", transA));
    } else {
      graph.node("MatMul", "p", List.of("w", "x"), "y");
    }
    TensorBatch batch = graph.batch(normal(2, 20, 1), 4, 5);
    Path source = graph.output("y", 3, -1).write(folder);

    for (String target : List.of("cpu", "tensorrt")) {
      SavedModel saved = run(int8(batch).with("target", target), source);

      assertThat(SmallGraph.sqnr(source, saved.artifacts().get(0).path(), batch)).isGreaterThan(30);
      assertThat(saved.report().modules())
          .singleElement()
          .satisfies(
              module -> {
                assertThat(module.decision().module()).isEqualTo("p");
                assertThat(module.weights().isQuantized()).isTrue();
                assertThat(module.activations().isQuantized()).isTrue();
              });
    }
    assertThat(sqnr(Quantization.dynamicOf(module -> Plans.Wish.both(Dtype.INT8)), source, batch))
        .isGreaterThan(35);
    assertThat(
            sqnr(
                Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8))
                    .with("kernel", "nbits"),
                source,
                batch))
        .isGreaterThan(35);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void with_a_vector_stores_it_in_int8_and_leaves_the_input_native(boolean right) {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", right ? new long[] {-1, 8} : new long[] {8, -1})
            .constant("w", normal(1, 8, 1), 8)
            .node("MatMul", "mm", right ? List.of("x", "w") : List.of("w", "x"), "y")
            .output("y", -1);
    TensorBatch batch =
        graph.batch(normal(2, 128, 1), right ? new long[] {16, 8} : new long[] {8, 16});
    Path source = graph.write(folder);

    SavedModel saved = run(int8(batch).with("target", "tensorrt"), source);

    assertThat(saved.report().modules())
        .singleElement()
        .satisfies(
            module -> {
              assertThat(module.weights().isQuantized()).isTrue();
              assertThat(module.weights().granularity()).isEqualTo(Granularity.TENSOR);
              assertThat(module.activations().reason()).contains("vector");
            });
    assertThat(SmallGraph.sqnr(source, saved.artifacts().get(0).path(), batch)).isGreaterThan(35);
  }

  @ParameterizedTest
  @CsvSource({"fp8_e4m3fn, int8", "fp8_e5m2, int8", "int8, fp8_e4m3fn", "int8, fp8_e5m2"})
  void of_float8_and_int8_is_refused(String weights, String activations) {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 8)
            .constant("w", normal(1, 64, 1), 8, 8)
            .node("MatMul", "mm", List.of("x", "w"), "y")
            .output("y", -1, 8);
    TensorBatch batch = graph.batch(normal(2, 128, 1), 16, 8);
    Path source = graph.write(folder);
    Plans.Wish mixed =
        new Plans.Wish(Dtype.of(weights), Dtype.of(activations), OperandSettings.DEFAULT);

    assertThatExceptionOfType(InvalidConfigurationException.class)
        .isThrownBy(() -> run(Quantization.staticOf(module -> mixed, Graphs.data(batch)), source))
        .withMessageContaining("float8 by int8")
        .withMessageContaining("of mm;");
  }
}
