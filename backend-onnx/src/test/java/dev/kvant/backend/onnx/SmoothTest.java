package dev.kvant.backend.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorBatch;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.graph.StoredTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Smoothing the inputs of products")
class SmoothTest {

  private static final int CHANNELS = 64;

  @TempDir private Path folder;

  private static Plans.Wish int8(ModuleDescription module) {
    return Plans.Wish.both(Dtype.INT8)
        .with(new OperandSettings(null, CalibrationAlgorithm.MSE, Map.of()));
  }

  /** Values of which a few channels are much larger than the others, as in transformers. */
  private static float[] withOutliers(long seed, int rows) {
    float[] values = SmallGraph.normal(seed, rows * CHANNELS, 1);
    for (int row = 0; row < rows; row++) {
      values[row * CHANNELS + 3] *= 60;
      values[row * CHANNELS + 40] *= 25;
    }
    return values;
  }

  /** Weights of which those for the large channels are small, as in transformers. */
  private static float[] weights(long seed, int outputs, boolean isTransposed) {
    float[] values = SmallGraph.normal(seed, CHANNELS * outputs, 0.2);
    for (int output = 0; output < outputs; output++) {
      for (int channel : new int[] {3, 40}) {
        values[isTransposed ? output * CHANNELS + channel : channel * outputs + output] /= 20;
      }
    }
    return values;
  }

  private static SmallGraph small() {
    return SmallGraph.ofFloats()
        .input("x", -1, CHANNELS)
        .constant("first", weights(1, 32, false), CHANNELS, 32)
        .constant("second", weights(2, 16, true), 16, CHANNELS)
        .constant("bias", SmallGraph.normal(3, 16, 1), 16)
        .node("MatMul", "one", List.of("x", "first"), "y")
        .node("Gemm", "two", List.of("x", "second", "bias"), "z", Map.of("transB", 1))
        .output("y", -1, 32)
        .output("z", -1, 16);
  }

  private static CalibrationDataset data() {
    return CalibrationDataset.of(List.of(small().batch(withOutliers(10, 200), 200, CHANNELS)));
  }

  private double sqnr(Quantization quantization) {
    Path source = small().write(folder);
    TensorBatch test = small().batch(withOutliers(11, 100), 100, CHANNELS);
    quantization.run(source, folder);
    return SmallGraph.sqnr(source, artifact(), test);
  }

  private Path artifact() {
    return folder.resolve(OnnxBackend.ARTIFACT);
  }

  @Test
  void halves_the_error_of_products_of_inputs_with_large_channels() {
    double before =
        sqnr(Quantization.staticOf(SmoothTest::int8, data()).with("optimize", "accuracy"));
    double after = sqnr(Quantization.staticOf(SmoothTest::int8, data()).with("smooth", 0.5));

    assertThat(after).isGreaterThan(before + 6);
  }

  @Test
  void multiplies_a_weight_along_each_axis_that_is_summed_over() {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, CHANNELS)
            .constant("w", weights(1, CHANNELS, false), CHANNELS, CHANNELS)
            .node("MatMul", "one", List.of("x", "w"), "y")
            .node("Gemm", "two", List.of("x", "w"), "z", Map.of("transB", 1))
            .output("y", -1, CHANNELS)
            .output("z", -1, CHANNELS);
    Path source = graph.write(folder);
    CalibrationDataset data =
        CalibrationDataset.of(List.of(graph.batch(withOutliers(10, 200), 200, CHANNELS)));

    Path smoothed = SmoothedFloat.write(source, data, 0.5, folder);

    assertThat(SmallGraph.sqnr(source, smoothed, graph.batch(withOutliers(11, 100), 100, CHANNELS)))
        .isBetween(110.0, 199.0);
  }

  @Test
  void multiplies_a_tensor_once_for_all_products_that_read_it() {
    SavedModel saved =
        Quantization.staticOf(SmoothTest::int8, data())
            .with("smooth", 0.5)
            .run(small().write(folder), folder);

    try (OnnxFile file = OnnxFile.open(artifact())) {
      Graph graph = file.load().graph();
      List<Node> multiplications = graph.nodes().stream().filter(node -> node.is("Mul")).toList();
      assertThat(multiplications).hasSize(1);
      assertThat(multiplications.get(0).input(0)).isEqualTo("x");
      assertThat(graph.nodes().stream().filter(node -> node.is("QuantizeLinear"))).hasSize(1);
      assertThat(graph.initializers().keySet()).doesNotContain("first", "second");
    }
    assertThat(saved.report().modules())
        .allSatisfy(module -> assertThat(module.note()).contains("smooth: alpha 0.50"));
  }

  @Test
  void divides_by_the_factors_of_the_formula_and_covers_the_whole_range() {
    // amax of x: 8, 2. amax of rows of w: 2, 2. s = sqrt(8 / 2), sqrt(2 / 2) = 2, 1, over the
    // geometric mean sqrt(2): sqrt(2) and 1 / sqrt(2).
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, 2)
            .constant("w", new float[] {1, -2, 2, 1}, 2, 2)
            .node("MatMul", "one", List.of("x", "w"), "y")
            .output("y", -1, 2);
    CalibrationDataset data =
        CalibrationDataset.of(List.of(graph.batch(new float[] {-8, 1, 4, 2}, 2, 2)));

    Quantization.staticOf(SmoothTest::int8, data)
        .with("smooth", 0.5)
        .run(graph.write(folder), folder);

    float root = (float) Math.sqrt(2);
    try (OnnxFile file = OnnxFile.open(artifact())) {
      Graph written = file.load().graph();
      Node multiplication =
          written.nodes().stream().filter(node -> node.is("Mul")).findFirst().orElseThrow();
      assertThat(floats(written, multiplication.input(1)))
          .containsExactly(new float[] {1 / root, root}, within(1e-6f));
      Node quantizer =
          written.nodes().stream()
              .filter(node -> node.is("QuantizeLinear"))
              .findFirst()
              .orElseThrow();
      // From -8 / sqrt(2) to 4 / sqrt(2).
      assertThat(floats(written, quantizer.input(1)))
          .containsExactly(new float[] {12 / root / 255}, within(1e-6f));
    }
  }

  private static float[] floats(Graph graph, String name) {
    StoredTensor tensor = graph.constant(name).flatMap(Initializer::tensor).orElseThrow();
    float[] values = new float[(int) tensor.elements()];
    tensor.content().read(0, Math.toIntExact(tensor.content().bytes())).asFloatBuffer().get(values);
    return values;
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "tensorrt"})
  void keeps_the_digit_transformer_as_good_as_it_was(String target) {
    Quantization.staticOf(SmoothTest::int8, Digits.calibration(64))
        .with("smooth", 0.5)
        .with("target", target)
        .run(Digits.TRANSFORMER, folder);

    assertThat(Digits.correct(artifact())).isBetween(Digits.correct(Digits.TRANSFORMER) - 2, 600);
  }

  @Test
  void leaves_convolutions_as_they_are() {
    bytes(0.5, Digits.RESNET, Dtype.INT8);

    try (OnnxFile file = OnnxFile.open(artifact())) {
      Graph graph = file.load().graph();
      List<Node> multiplications = graph.nodes().stream().filter(node -> node.is("Mul")).toList();
      assertThat(graph.nodes().stream().filter(node -> node.is("Gemm"))).hasSize(2);
      assertThat(multiplications)
          .hasSize(2)
          .allMatch(
              each ->
                  graph.nodes().stream()
                      .filter(node -> node.is("QuantizeLinear"))
                      .anyMatch(node -> node.input(0).equals(each.outputs().get(0))));
    }
  }

  @Test
  void leaves_float8_as_it_is() {
    byte[] smoothed = bytes(0.5, Digits.TRANSFORMER, Dtype.FP8_E4M3FN);

    assertThat(bytes("off", Digits.TRANSFORMER, Dtype.FP8_E4M3FN)).isEqualTo(smoothed);
  }

  private byte[] bytes(Object smooth, Path model, Dtype dtype) {
    Quantization.staticOf(module -> Plans.Wish.both(dtype), Digits.calibration(64))
        .with("smooth", smooth)
        .run(model, folder);
    try {
      return Files.readAllBytes(artifact());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void leaves_a_weight_that_others_read_as_it_is() {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, CHANNELS)
            .constant("w", SmallGraph.normal(1, CHANNELS * CHANNELS, 0.1), CHANNELS, CHANNELS)
            .node("MatMul", "one", List.of("x", "w"), "y")
            .node("MatMul", "two", List.of("y", "w"), "z")
            .output("z", -1, CHANNELS);
    CalibrationDataset data =
        CalibrationDataset.of(List.of(graph.batch(withOutliers(10, 50), 50, CHANNELS)));

    SavedModel saved =
        Quantization.staticOf(SmoothTest::int8, data)
            .with("smooth", 0.5)
            .run(graph.write(folder), folder);

    try (OnnxFile file = OnnxFile.open(artifact())) {
      assertThat(file.load().graph().nodes()).noneMatch(node -> node.is("Mul"));
    }
    assertThat(saved.report().modules()).allSatisfy(module -> assertThat(module.note()).isNull());
  }

  @Test
  void finds_the_amount_on_the_data_and_does_nothing_where_nothing_is_gained() {
    double before =
        sqnr(Quantization.staticOf(SmoothTest::int8, data()).with("optimize", "accuracy"));
    double found = sqnr(Quantization.staticOf(SmoothTest::int8, data()).with("smooth", "auto"));
    assertThat(found).isGreaterThan(before + 6);

    SmallGraph alike =
        SmallGraph.ofFloats()
            .input("x", -1, CHANNELS)
            .constant("w", SmallGraph.normal(1, CHANNELS * 32, 0.1), CHANNELS, 32)
            .node("MatMul", "one", List.of("x", "w"), "y")
            .output("y", -1, 32);
    CalibrationDataset data =
        CalibrationDataset.of(
            List.of(alike.batch(SmallGraph.normal(5, 200 * CHANNELS, 1), 200, CHANNELS)));
    Path source = alike.write(folder);
    Quantization.staticOf(SmoothTest::int8, data).with("optimize", "accuracy").run(source, folder);
    Path off = folder.resolve("off");
    Quantization.staticOf(SmoothTest::int8, data)
        .with("optimize", "accuracy")
        .with("smooth", "off")
        .run(source, off);
    assertThat(artifact()).hasSameBinaryContentAs(off.resolve(OnnxBackend.ARTIFACT));
    Quantization.staticOf(SmoothTest::int8, data).with("smooth", "auto").run(source, folder);
    assertThat(artifact()).hasSameBinaryContentAs(off.resolve(OnnxBackend.ARTIFACT));
  }

  /** A normalization in front of a product. */
  private static SmallGraph normalized(String how, boolean hasResidual) {
    SmallGraph graph =
        SmallGraph.ofFloats()
            .input("x", -1, CHANNELS)
            .constant("gamma", SmallGraph.magnitudes(withOutliers(7, 1)), CHANNELS)
            .constant("beta", SmallGraph.normal(8, CHANNELS, 0.5), CHANNELS)
            .constant("w", weights(1, CHANNELS, false), CHANNELS, CHANNELS);
    switch (how) {
      case "layer" -> graph.node("LayerNormalization", "norm", List.of("x", "gamma", "beta"), "n");
      case "affine" ->
          graph
              .node("Mul", "scale", List.of("gamma", "x"), "scaled")
              .node("Add", "norm", List.of("scaled", "beta"), "n");
      default -> graph.node("Mul", "norm", List.of("x", "gamma"), "n");
    }
    graph.node("MatMul", "product", List.of("n", "w"), "y");
    if (hasResidual) {
      graph.node("Add", "residual", List.of("y", "n"), "z");
    }
    return graph.output(hasResidual ? "z" : "y", -1, CHANNELS);
  }

  @ParameterizedTest
  @ValueSource(strings = {"layer", "affine", "scale"})
  void folds_into_a_norm_that_only_the_products_read(String how) {
    SmallGraph graph = normalized(how, false);
    CalibrationDataset data =
        CalibrationDataset.of(
            List.of(graph.batch(SmallGraph.normal(5, 200 * CHANNELS, 1), 200, CHANNELS)));
    Path source = graph.write(folder);
    TensorBatch test = graph.batch(SmallGraph.normal(6, 50 * CHANNELS, 1), 50, CHANNELS);
    Quantization.staticOf(SmoothTest::int8, data).run(source, folder);
    double before = SmallGraph.sqnr(source, artifact(), test);

    SavedModel saved =
        Quantization.staticOf(SmoothTest::int8, data).with("smooth", 0.5).run(source, folder);

    assertThat(SmallGraph.sqnr(source, artifact(), test)).isGreaterThan(before + 6);
    try (OnnxFile file = OnnxFile.open(artifact())) {
      List<Node> nodes = file.load().graph().nodes();
      try (OnnxFile original = OnnxFile.open(source)) {
        assertThat(nodes.stream().filter(node -> node.is("Mul")).count())
            .isEqualTo(
                original.load().graph().nodes().stream().filter(node -> node.is("Mul")).count());
      }
    }
    assertThat(saved.report().modules())
        .filteredOn(module -> module.decision().module().equals("product"))
        .singleElement()
        .satisfies(
            module -> assertThat(module.note()).isEqualTo("smooth: alpha 0.50, folded into norm"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"layer", "affine", "scale"})
  void multiplies_beside_a_norm_that_a_residual_connection_reads(String how) {
    SmallGraph graph = normalized(how, true);
    CalibrationDataset data =
        CalibrationDataset.of(
            List.of(graph.batch(SmallGraph.normal(5, 200 * CHANNELS, 1), 200, CHANNELS)));
    Path source = graph.write(folder);

    SavedModel saved =
        Quantization.staticOf(SmoothTest::int8, data).with("smooth", 0.5).run(source, folder);

    assertThat(
            SmallGraph.sqnr(
                source,
                artifact(),
                graph.batch(SmallGraph.normal(6, 50 * CHANNELS, 1), 50, CHANNELS)))
        .isGreaterThan(30);
    assertThat(saved.report().modules())
        .filteredOn(module -> module.decision().module().equals("product"))
        .singleElement()
        .satisfies(module -> assertThat(module.note()).contains("a Mul before the product"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"layer", "affine", "scale", "layer+", "affine+", "scale+"})
  void the_smoothed_graph_computes_what_it_computed_before(String how) {
    SmallGraph graph = normalized(how.replace("+", ""), how.endsWith("+"));
    Path source = graph.write(folder);
    CalibrationDataset data =
        CalibrationDataset.of(
            List.of(graph.batch(SmallGraph.normal(5, 200 * CHANNELS, 1), 200, CHANNELS)));
    Path smoothed = SmoothedFloat.write(source, data, 0.7, folder);

    assertThat(
            SmallGraph.sqnr(
                source,
                smoothed,
                graph.batch(SmallGraph.normal(6, 50 * CHANNELS, 1), 50, CHANNELS)))
        .isBetween(110.0, 199.0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.5", "auto"})
  void helps_dynamic_quantization_with_data(String smooth) {
    Object value = smooth.equals("auto") ? smooth : Double.valueOf(smooth);
    double before = sqnr(Quantization.dynamicOf(SmoothTest::int8));
    double after = sqnr(Quantization.dynamicOf(SmoothTest::int8).on(data()).with("smooth", value));

    assertThat(after).isGreaterThan(before + 4);
  }

  @Test
  void without_data_a_number_is_an_error_and_auto_changes_nothing() {
    Path source = small().write(folder);
    assertThatExceptionOfType(CalibrationException.class)
        .isThrownBy(
            () -> Quantization.dynamicOf(SmoothTest::int8).with("smooth", 0.5).run(source, folder))
        .withMessageContaining("smooth: 0.5")
        .withMessageContaining("--calibration");
    Quantization.dynamicOf(SmoothTest::int8).with("smooth", "auto").run(source, folder);
    Path off = folder.resolve("off");
    Quantization.dynamicOf(SmoothTest::int8).with("smooth", "off").run(source, off);
    assertThat(artifact()).hasSameBinaryContentAs(off.resolve(OnnxBackend.ARTIFACT));
  }
}
