package dev.kvant.backend.onnx;

import static dev.kvant.backend.onnx.SmallGraph.magnitudes;
import static dev.kvant.backend.onnx.SmallGraph.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.TensorBatch;
import dev.kvant.backend.onnx.weights.KernelPairs;
import dev.kvant.backend.onnx.weights.QuantizedWeight;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModule.Weight;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("On a processor that adds products in 16 bits")
class SaturationTest {

  @TempDir private Path folder;

  private static OperandSettings with(String algorithm) {
    return new OperandSettings(null, CalibrationAlgorithm.of(algorithm), Map.of());
  }

  private static Quantization digits(String algorithm) {
    return Quantization.staticOf(
        module -> Plans.Wish.both(Dtype.INT8).with(with(algorithm)), Digits.calibration(64));
  }

  private Path run(Quantization quantization, Path source) {
    return quantization.run(source, folder.resolve("out")).artifacts().get(0).path();
  }

  @ParameterizedTest
  @CsvSource({"minmax, accuracy", "mse, accuracy", "percentile, balanced", "mse, speed"})
  void static_products_of_real_models_are_exact(String algorithm, String optimize) {
    for (Path source : List.of(Digits.RESNET, Digits.TRANSFORMER)) {
      assertThat(
              SaturatingKernel.inexact(run(digits(algorithm).with("optimize", optimize), source)))
          .isEmpty();
      assertThat(
              SaturatingKernel.inexact(run(digits(algorithm).with("reduce_range", true), source)))
          .isEmpty();
      assertThat(
              SaturatingKernel.inexact(run(digits(algorithm).with("reduce_range", false), source)))
          .hasSizeGreaterThan(5);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"minmax", "mse"})
  void dynamic_products_of_a_real_model_are_exact(String algorithm) {
    Quantization dynamic =
        Quantization.dynamicOf(module -> Plans.Wish.both(Dtype.INT8).with(with(algorithm)));

    assertThat(SaturatingKernel.inexact(run(dynamic, Digits.TRANSFORMER))).isEmpty();
    assertThat(
            SaturatingKernel.inexact(run(dynamic.with("reduce_range", true), Digits.TRANSFORMER)))
        .isEmpty();
    assertThat(
            SaturatingKernel.inexact(run(dynamic.with("reduce_range", false), Digits.TRANSFORMER)))
        .hasSizeGreaterThan(5);
  }

  @Test
  void a_reduced_range_holds_all_weights_in_seven_bits_whatever_the_algorithm() {
    for (String algorithm : List.of("minmax", "mse")) {
      Path artifact = run(digits(algorithm).with("reduce_range", true), Digits.RESNET);

      assertThat(SaturatingKernel.columns(artifact).values().stream().flatMap(Collection::stream))
          .allSatisfy(column -> assertThat(largest(column)).isEqualTo(64));
    }
  }

  private static int largest(byte[] codes) {
    int largest = 0;
    for (byte code : codes) {
      largest = Math.max(largest, Math.abs(code));
    }
    return largest;
  }

  @Test
  void only_channels_with_a_pair_that_could_overflow_get_fewer_codes() {
    // Pairs of the columns: one of the same sign, one of different signs, one that just fits.
    float[] weights = {1, 1, 1, 0.5f, -1, 0.007f, -0.5f, -0.25f, -0.5f, -0.25f, 0, -0.25f};

    float[] scales = fitted("MatMul", Map.of(), weights, 1, 4, 3);

    assertThat(scales[0]).isCloseTo(1.5f / 128, within(1e-7f));
    assertThat(scales[1]).isEqualTo(1 / 127f);
    assertThat(scales[2]).isEqualTo(1 / 127f);
  }

  @Test
  void filters_are_read_by_position_and_then_by_channel() {
    // [filters, channels, positions]: neighbours in the file, and neighbours for the kernel.
    float[] weights = {
      1, 1, 0, 0,
      1, 0, 1, 0
    };

    float[] scales = fitted("Conv", Map.of(), weights, 0, 2, 2, 2);

    assertThat(scales[0]).isEqualTo(1 / 127f);
    assertThat(scales[1]).isCloseTo(2 / 128f, within(1e-7f));
  }

  @Test
  void rows_of_a_transposed_matrix_are_its_columns() {
    float[] scales = fitted("Gemm", Map.of("transB", 1), new float[] {1, 1, 1, -1}, 0, 2, 2);

    assertThat(scales[0]).isCloseTo(2 / 128f, within(1e-7f));
    assertThat(scales[1]).isEqualTo(1 / 127f);
  }

  @Test
  void a_last_element_without_neighbour_needs_nothing() {
    assertThat(fitted("MatMul", Map.of(), new float[] {0, 0, 1}, 1, 3, 1))
        .containsExactly(1 / 127f);
  }

  @Test
  void depthwise_and_transposed_convolutions_keep_all_codes() {
    StoredTensor filters = StoredTensor.ofFloats("w", List.of(4L, 1L, 2L), new float[8]);

    assertThat(KernelPairs.of(node("Conv", Map.of("group", 4)), new Weight(1, 0, filters)))
        .isEmpty();
    assertThat(KernelPairs.of(node("Conv", Map.of("group", 2)), new Weight(1, 0, filters)))
        .isPresent();
    assertThat(KernelPairs.of(node("ConvTranspose", Map.of()), new Weight(1, 1, filters)))
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"minmax", "mse", "percentile"})
  void scales_are_raised_as_little_as_possible(String algorithm) {
    Random random = new Random(7);
    int raised = 0;
    for (int seed = 0; seed < 200; seed++) {
      float[] weights = normal(seed, 64, 1);
      for (int outliers = random.nextInt(4); outliers > 0; outliers--) {
        weights[random.nextInt(64)] *= 1 + random.nextInt(200);
      }
      QuantizedWeight weight = weight(weights, with(algorithm), 1, 64, 1);
      float before = weight.scales()[0];
      weight.fit(pairs("MatMul", Map.of(), weight(weights, 64, 1), 1));
      float after = weight.scales()[0];

      assertThat(largestSum(weight, 64)).isLessThanOrEqualTo(128);
      if (after > before) {
        raised++;
        weight.scales()[0] = Math.max(before, after * 0.98f);
        assertThat(largestSum(weight, 64)).isGreaterThan(128);
      }
    }
    assertThat(raised).isGreaterThan(50);
  }

  private static int largestSum(QuantizedWeight weight, int length) {
    ByteBuffer codes = weight.read(0, length);
    int largest = 0;
    for (int i = 0; i + 1 < length; i += 2) {
      largest = Math.max(largest, Math.abs(codes.get(i) + codes.get(i + 1)));
    }
    return largest;
  }

  @Test
  void a_matrix_that_is_read_in_both_directions_is_exact_in_both() {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 8)
            .constant("w", magnitudes(normal(1, 64, 1)), 8, 8)
            .node("Gemm", "a", List.of("x", "w"), "y", Map.of("transB", 0))
            .node("Gemm", "b", List.of("x", "w"), "z", Map.of("transB", 1))
            .output("y", -1, 8)
            .output("z", -1, 8);
    TensorBatch batch = graph.batch(normal(2, 128, 1), 16, 8);

    Path artifact =
        run(
            Quantization.staticOf(
                    module ->
                        Plans.Wish.both(Dtype.INT8)
                            .with(
                                new OperandSettings(
                                    Granularity.TENSOR, CalibrationAlgorithm.MINMAX, Map.of())),
                    Graphs.data(batch))
                .with("optimize", "accuracy"),
            graph.write(folder));

    assertThat(SaturatingKernel.inexact(artifact)).isEmpty();
  }

  @Test
  void every_matrix_of_several_is_exact() {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 3, 8)
            .constant("w", magnitudes(normal(1, 120, 1)), 3, 8, 5)
            .node("MatMul", "a", List.of("x", "w"), "y")
            .output("y", -1, 3, 5);
    TensorBatch batch = graph.batch(normal(2, 96, 1), 4, 3, 8);
    Path artifact =
        run(
            Quantization.staticOf(module -> Plans.Wish.both(Dtype.INT8), Graphs.data(batch))
                .with("optimize", "accuracy"),
            graph.write(folder));

    assertThat(SaturatingKernel.inexact(artifact)).isEmpty();
  }

  @Test
  void tensorrt_does_not_compute_and_keeps_all_codes() {
    Path some = run(digits("minmax").with("target", "tensorrt"), Digits.RESNET);
    Map<String, List<byte[]>> all = SaturatingKernel.columns(some);

    Path others =
        run(digits("minmax").with("target", "tensorrt").with("reduce_range", false), Digits.RESNET);

    assertThat(codes(SaturatingKernel.columns(others))).isDeepEqualTo(codes(all));
  }

  private static byte[][] codes(Map<String, List<byte[]>> columns) {
    return columns.values().stream().flatMap(Collection::stream).toArray(byte[][]::new);
  }

  private static Node node(String operator, Map<String, Integer> attributes) {
    Node node = Node.create("n", operator, List.of("x", "w"), List.of("y"));
    attributes.forEach(node::with);
    return node;
  }

  private static StoredTensor weight(float[] values, long... dims) {
    return StoredTensor.ofFloats("w", Arrays.stream(dims).boxed().toList(), values);
  }

  private static QuantizedWeight weight(
      float[] values, OperandSettings settings, int axis, long... dims) {
    return QuantizedWeight.of(
        weight(values, dims), FloatType.FLOAT32, QuantizedType.INT8, axis, settings, 1);
  }

  private static KernelPairs pairs(
      String operator, Map<String, Integer> attributes, StoredTensor weight, int axis) {
    return KernelPairs.of(node(operator, attributes), new Weight(1, axis, weight)).orElseThrow();
  }

  private static float[] fitted(
      String operator, Map<String, Integer> attributes, float[] values, int axis, long... dims) {
    QuantizedWeight weight = weight(values, OperandSettings.DEFAULT, axis, dims);
    weight.fit(pairs(operator, attributes, weight(values, dims), axis));
    return weight.scales();
  }
}
