package dev.kvant.backend.onnx;

import static dev.kvant.backend.onnx.SmallGraph.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Dtype;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranges at the ends of what numbers can be lose neither weights nor biases. */
@DisplayName("A range")
class RangesTest {

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
  @CsvSource({"Conv, false", "Conv, true", "Gemm, false", "Gemm, true"})
  void of_zeros_alone_keeps_the_bias_and_says_so(String operator, boolean outputs) {
    boolean isConv = operator.equals("Conv");
    long[] input = isConv ? new long[] {-1, 3, 8, 8} : new long[] {-1, 8};
    long[] data = isConv ? new long[] {16, 3, 8, 8} : new long[] {16, 8};
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", input)
            .constant(
                "w",
                normal(1, isConv ? 54 : 16, 100),
                isConv ? new long[] {2, 3, 3, 3} : new long[] {8, 2})
            .constant("b", new float[] {0.3f, -0.2f}, 2)
            .node(operator, "layer", List.of("x", "w", "b"), "y")
            .output("y");
    int elements = (int) Arrays.stream(data).reduce(1, Math::multiplyExact);
    TensorBatch zeros = graph.batch(new float[elements], data);
    Path source = graph.write(folder);

    SavedModel saved = run(int8(zeros).with("quantize_outputs", outputs), source);

    assertThat(SmallGraph.sqnr(source, saved.artifacts().get(0).path(), zeros)).isGreaterThan(40);
    assertThat(saved.report().warnings())
        .filteredOn(warning -> warning.kind() == QuantizationWarning.Kind.CALIBRATION)
        .anySatisfy(
            warning -> {
              assertThat(warning.modules()).containsExactly("layer");
              assertThat(warning.message()).contains("'x'", "always zero");
            });
  }

  @ParameterizedTest
  @ValueSource(floats = {-Float.MAX_VALUE, Float.MAX_VALUE, -3e38f, 2e30f})
  void with_masks_leaves_the_product_native_and_says_so(float mask) {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 8)
            .constant("w", normal(1, 64, 0.1), 8, 8)
            .node("MatMul", "layer", List.of("x", "w"), "y")
            .output("y");
    float[] masked = SmallGraph.magnitudes(normal(2, 128, 1));
    float[] plain = masked.clone();
    for (int row = 0; row < 16; row++) {
      masked[8 * row + 4] = mask;
    }
    TensorBatch batch = graph.batch(plain, 16, 8);
    TensorBatch withMasks = graph.batch(masked, 16, 8);
    Path source = graph.write(folder);

    SavedModel saved = run(int8(withMasks).with("target", "tensorrt"), source);

    Path artifact = saved.artifacts().get(0).path();
    assertThat(SmallGraph.sqnr(source, artifact, batch)).isGreaterThan(35);
    assertThat(SmallGraph.sqnr(source, artifact, withMasks)).isGreaterThan(35);
    assertThat(saved.report().warnings())
        .anySatisfy(
            warning -> {
              assertThat(warning.modules()).containsExactly("layer");
              assertThat(warning.message()).contains("'x'", "masks", "rounds all others to zero");
            });
    assertThat(saved.report().modules().get(0).activations().reason()).contains("masks");
    assertThat(saved.report().modules().get(0).weights().reason()).contains("exceeds float32");
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void is_that_of_finite_values_where_the_data_says_to_ignore_others(float value)
      throws IOException {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 8)
            .constant("w", normal(1, 64, 0.1), 8, 8)
            .node("MatMul", "layer", List.of("x", "w"), "y")
            .output("y");
    float[] values = normal(2, 128, 1);
    float[] some = Arrays.copyOf(values, 64);
    Arrays.fill(values, 64, 128, value);
    Path source = graph.write(folder);
    CalibrationDataset data =
        new CalibrationDataset() {
          @Override
          public Iterator<TensorBatch> iterator() {
            return List.of(graph.batch(values, 16, 8)).iterator();
          }

          @Override
          public NonFiniteValues nonFinite() {
            return NonFiniteValues.IGNORE;
          }
        };

    Path ignoring =
        Quantization.staticOf(module -> Plans.Wish.both(Dtype.INT8), data)
            .with("optimize", "accuracy")
            .run(source, folder.resolve("ignoring"))
            .artifacts()
            .get(0)
            .path();

    Path finite = run(int8(graph.batch(some, 8, 8)), source).artifacts().get(0).path();
    assertThat(ignoring).hasSameBinaryContentAs(finite);
    assertThatThrownBy(() -> run(int8(graph.batch(values, 16, 8)), source))
        .isInstanceOf(CalibrationException.class)
        .hasMessageEndingWith("non_finite: ignore leaves such values out");
  }

  @ParameterizedTest
  @CsvSource({
    "1e4, cpu, 'has a few values up to 1.00e+04, and more than 99.9 % of the others become 0'",
    "600, cpu, 'has a few values up to 600, and '",
    "-600, tensorrt, 'has a few values up to 600, and '"
  })
  void that_outliers_take_is_warned_of(float outlier, String target, String message) {
    float[] values = normal(2, 16_000, 1);
    values[7] = outlier;

    assertThat(warnings(values, target))
        .anySatisfy(
            warning -> {
              assertThat(warning.message()).contains("'x'", message);
              assertThat(warning.modules()).containsExactly("layer");
            });
  }

  @Test
  void of_values_that_are_spread_over_it_is_not_warned_of() {
    float[] uniform = new float[16_000];
    float[] likeSoftmax = new float[16_000];
    for (int i = 0; i < uniform.length; i++) {
      uniform[i] = i / 16_000f;
      likeSoftmax[i] = i % 100 == 0 ? 0.9f : 0.001f;
    }
    for (float[] values : List.of(normal(2, 16_000, 1), uniform, likeSoftmax)) {
      assertThat(warnings(values, "cpu"))
          .noneMatch(warning -> warning.message().contains("become 0"));
    }
  }

  private List<QuantizationWarning> warnings(float[] values, String target) {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 8)
            .constant("w", normal(1, 64, 0.1), 8, 8)
            .node("MatMul", "layer", List.of("x", "w"), "y")
            .output("y");
    return run(
            int8(graph.batch(values, values.length / 8, 8)).with("target", target),
            graph.write(folder))
        .report()
        .warnings();
  }

  @Test
  void of_a_channel_of_zeros_keeps_its_bias_exactly() {
    float[] weights = normal(1, 24, 1);
    Arrays.fill(weights, 8, 16, 0);
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 8)
            .constant("w", weights, 3, 8)
            .constant("b", new float[] {1, 0.013f, 2}, 3)
            .node("Gemm", "g", List.of("x", "w", "b"), "all", Map.of("transB", 1))
            .constant("one", new float[] {0, 1, 0}, 3, 1)
            .node("MatMul", "pick", List.of("all", "one"), "y")
            .output("y", -1, 1);
    TensorBatch batch = graph.batch(normal(2, 128, 100), 16, 8);
    Path source = graph.write(folder);

    Quantization onlyGemm =
        Quantization.staticOf(
            module -> module.name().equals("g") ? Plans.Wish.both(Dtype.INT8) : Plans.Wish.NATIVE,
            Graphs.data(batch));

    assertThat(sqnr(onlyGemm, source, batch)).isGreaterThan(100);
  }

  @Test
  void of_a_large_bias_beside_small_products_does_not_overflow() {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 64)
            .constant("w", normal(1, 128, 1e-6), 2, 64)
            .constant("b", new float[] {1e6f, -1e6f}, 2)
            .node("Gemm", "g", List.of("x", "w", "b"), "y", Map.of("transB", 1))
            .output("y", -1, 2);
    TensorBatch batch = graph.batch(SmallGraph.magnitudes(normal(2, 1024, 1e-3)), 16, 64);

    assertThat(sqnr(int8(batch), graph.write(folder), batch)).isGreaterThan(100);
  }

  @ParameterizedTest
  @ValueSource(floats = {0, -3, 5, 1e-30f})
  void of_one_value_is_kept(float value) {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 8)
            .constant("w", normal(1, 24, 1), 3, 8)
            .constant("b", new float[] {1, -2, 3}, 3)
            .node("Gemm", "g", List.of("x", "w", "b"), "y", Map.of("transB", 1))
            .output("y", -1, 3);
    float[] values = new float[128];
    Arrays.fill(values, value);
    TensorBatch batch = graph.batch(values, 16, 8);
    Path source = graph.write(folder);

    for (String target : List.of("cpu", "tensorrt")) {
      assertThat(sqnr(int8(batch).with("target", target), source, batch)).isGreaterThan(35);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "MatMul, 1e-6, int8",
    "MatMul, 1e-6, fp8_e4m3fn",
    "MatMul, 1e-4, fp8_e5m2",
    "MatMul, 1e-4, int8",
    "MatMul, 1, int8",
    "MatMul, 1e4, int8",
    "MatMul, 1e4, fp8_e4m3fn"
  })
  void of_weights_survives_in_float16(String operator, double scale, String dtype) {
    SmallGraph graph =
        SmallGraph.ofHalves()
            .input("x", -1, 8)
            .constant("w", normal(1, 64, scale), 8, 8)
            .node(operator, "mm", List.of("x", "w"), "y")
            .output("y", -1, 8);
    TensorBatch batch = graph.batch(normal(2, 128, scale > 1 ? 0.1 : 1), 16, 8);
    Path source = graph.write(folder);

    assertThat(
            sqnr(
                Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.of(dtype))),
                source,
                batch))
        .isGreaterThan(dtype.equals("fp8_e5m2") ? 18 : 22);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-6, 1, 1e4})
  void of_a_table_survives_in_float16(double scale) {
    SmallGraph graph =
        SmallGraph.ofHalves()
            .indices("i", -1)
            .constant("w", normal(1, 64, scale), 8, 8)
            .node("Gather", "table", List.of("w", "i"), "y")
            .output("y", -1, 8);
    TensorBatch batch = new TensorBatch(Map.of("i", Tensor.ofLongs(new long[] {0, 3, 7, 7, 1}, 5)));

    assertThat(
            sqnr(
                Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8)),
                graph.write(folder),
                batch))
        .isGreaterThan(22);
  }

  @ParameterizedTest
  @CsvSource({
    "1e-6, 1000, int8",
    "1e-6, 1000, fp8_e4m3fn",
    "1e-4, 1, int8",
    "1, 1, int8",
    "2e4, 0.1, int8"
  })
  void of_activations_survives_in_float16(double scale, double weights, String dtype) {
    SmallGraph graph =
        SmallGraph.ofHalves()
            .input("x", -1, 8)
            .constant("w", normal(1, 64, weights), 8, 8)
            .node("MatMul", "mm", List.of("x", "w"), "y")
            .output("y", -1, 8);
    TensorBatch batch = graph.batch(normal(2, 128, scale), 16, 8);
    Path source = graph.write(folder);

    for (String target : List.of("cpu", "tensorrt")) {
      assertThat(
              sqnr(
                  Quantization.staticOf(
                          module -> Plans.Wish.both(Dtype.of(dtype)), Graphs.data(batch))
                      .with("target", target),
                  source,
                  batch))
          .isGreaterThan(22);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1e-38, 1e30",
    "1e-40, 1e30",
    "1e30, 1e-38",
    "1e-20, 1e-10",
    "1e37, 1e-10",
    "1e-10, 1e37",
    "1e25, 1e10"
  })
  void survives_in_float32(double weights, double inputs) {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 8)
            .constant("w", normal(1, 24, weights), 3, 8)
            .constant("b", normal(3, 3, weights * inputs), 3)
            .node("Gemm", "g", List.of("x", "w", "b"), "y", Map.of("transB", 1))
            .output("y", -1, 3);
    TensorBatch batch = graph.batch(normal(2, 128, inputs), 16, 8);
    Path source = graph.write(folder);

    for (String target : List.of("cpu", "tensorrt")) {
      assertThat(sqnr(int8(batch).with("target", target), source, batch)).isGreaterThan(28);
    }
    assertThat(
            sqnr(Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8)), source, batch))
        .isGreaterThan(30);
  }
}
