package dev.kvant.backend.onnx;

import static dev.kvant.backend.onnx.TestGraph.attribute;
import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorBatch;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.spi.RunContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("An ONNX graph that is prepared for quantization")
class PreparationTest {

  private static final TensorBatch ROWS = Graphs.batch(1, 16, 8);

  @TempDir private Path folder;

  private static TestGraph product() {
    return new TestGraph().input("x", -1, 8).output("y", -1, 8);
  }

  private static Quantization int8() {
    return Quantization.weightsOf(module -> Plans.Wish.weights(Dtype.INT8));
  }

  private SavedModel quantize(Path model) {
    return int8().run(model, folder.resolve("out"));
  }

  private static Path artifact(SavedModel saved) {
    return saved.artifacts().get(0).path();
  }

  private static List<String> modules(Path model) {
    var backend = new OnnxBackend();
    ModelQuantizationConfig config = ModelQuantizationConfig.builder().backend("onnx").build();
    try (QuantizableModel file = new OnnxFormat().open(model);
        QuantizableModel prepared =
            backend.prepare(file, RunContext.builder(config, backend.descriptor()).build())) {
      return prepared.modules().stream().map(ModuleDescription::name).toList();
    }
  }

  private static List<String> quantized(SavedModel saved) {
    return saved.report().modules().stream()
        .filter(module -> module.weights().isQuantized())
        .map(module -> module.decision().module())
        .toList();
  }

  /** A product with a weight that operators make of a constant. */
  private static TestGraph weightBehind(String operators) {
    TestGraph graph = product();
    return switch (operators) {
      case "Cast" ->
          graph
              .halves("w", List.of(8L, 8L), TestGraph.values("w", 1, 8, 8))
              .node("Cast", List.of("w"), "made", attribute("to", 1));
      case "Identity" -> graph.random("w", 8, 8).node("Identity", List.of("w"), "made");
      case "Reshape" ->
          graph
              .random("w", 4, 16)
              .integers("shape", 8, -1)
              .node("Reshape", List.of("w", "shape"), "made");
      case "Squeeze" ->
          graph
              .random("w", 1, 8, 8)
              .integers("axes", 0)
              .node("Squeeze", List.of("w", "axes"), "made");
      case "Unsqueeze and Squeeze" ->
          graph
              .random("w", 8, 8)
              .integers("axes", 1)
              .node("Unsqueeze", List.of("w", "axes"), "wider")
              .node("Squeeze", List.of("wider", "axes"), "made");
      case "Transpose" ->
          graph
              .random("w", 8, 8)
              .node("Transpose", List.of("w"), "made", attribute("perm", List.of(1L, 0L)));
      case "Mul" ->
          graph
              .random("w", 8, 8)
              .floats("factor", List.of(), 0.5f)
              .node("Mul", List.of("w", "factor"), "made");
      case "Mul of a Constant" ->
          graph
              .random("w", 8, 8)
              .node("Constant", List.of(), "factor", attribute("value_float", 0.5f))
              .node("Mul", List.of("factor", "w"), "made");
      case "Concat" ->
          graph
              .random("w", 3, 8)
              .random("v", 5, 8)
              .node("Concat", List.of("w", "v"), "made", attribute("axis", 0));
      case "Slice" ->
          graph
              .random("w", 8, 9)
              .integers("starts", 1)
              .integers("ends", 9)
              .integers("axes", 1)
              .node("Slice", List.of("w", "starts", "ends", "axes"), "made");
      default ->
          graph
              .halves("w", List.of(64L), TestGraph.values("w", 1, 64))
              .integers("shape", 8, 8)
              .floats("factors", List.of(8L), 1, 2, 3, 4, 5, 6, 7, 8)
              .node("Cast", List.of("w"), "wide", attribute("to", 1))
              .node("Reshape", List.of("wide", "shape"), "square")
              .node("Transpose", List.of("square"), "turned")
              .node("Mul", List.of("turned", "factors"), "made");
    };
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Cast",
        "Identity",
        "Reshape",
        "Squeeze",
        "Unsqueeze and Squeeze",
        "Transpose",
        "Mul",
        "Mul of a Constant",
        "Concat",
        "Slice",
        "a chain"
      })
  void has_a_weight_that_operators_make_of_constants(String operators) {
    Path model = weightBehind(operators).node("MatMul", List.of("x", "made"), "y").write(folder);

    SavedModel saved = quantize(model);

    assertThat(quantized(saved)).containsExactly("y");
    assertThat(Graphs.nodes(artifact(saved), "DequantizeLinear")).hasSize(1);
    assertThat(Graphs.distance(artifact(saved), model, ROWS)).isLessThan(0.015);
  }

  @Test
  void has_such_weights_in_inner_graphs_too() {
    TestGraph some =
        new TestGraph()
            .random("inner", 8, 8)
            .node("Transpose", List.of("inner"), "turned")
            .node("MatMul", List.of("x", "turned"), "some")
            .output("some", -1, 8);
    TestGraph other =
        new TestGraph()
            .node("Transpose", List.of("outer"), "turned2")
            .node("MatMul", List.of("x", "turned2"), "other")
            .output("other", -1, 8);
    Path model =
        product()
            .random("outer", 8, 8)
            .floats("zero", List.of(), 0)
            .node("ReduceSum", List.of("x"), "sum", attribute("keepdims", 0))
            .node("Greater", List.of("sum", "zero"), "positive")
            .node(
                "If",
                List.of("positive"),
                "y",
                attribute("then_branch", some),
                attribute("else_branch", other))
            .write(folder);

    SavedModel saved = quantize(model);

    assertThat(quantized(saved)).containsExactlyInAnyOrder("some", "other");
    assertThat(Graphs.distance(artifact(saved), model, Graphs.shifted(0.5f))).isLessThan(0.015);
    assertThat(Graphs.distance(artifact(saved), model, Graphs.shifted(-0.5f))).isLessThan(0.015);
  }

  @Test
  void keeps_a_weight_as_it_is_stored_where_it_is_not_quantized() throws IOException {
    Path model =
        new TestGraph()
            .input("x", -1, 64)
            .output("y", -1, 64)
            .halves("w", List.of(64L, 64L), TestGraph.values("w", 1, 64, 64))
            .node("Cast", List.of("w"), "made", attribute("to", 1))
            .node("MatMul", List.of("x", "made"), "y")
            .write(folder);

    SavedModel saved =
        Quantization.weightsOf(module -> Plans.Wish.NATIVE).run(model, folder.resolve("out"));

    assertThat(Graphs.nodes(artifact(saved), "Cast")).hasSize(1);
    assertThat(Files.size(artifact(saved))).isLessThan(Files.size(model) + 512);
  }

  @Test
  void leaves_a_table_alone_that_is_made_of_next_to_nothing() throws IOException {
    Path model =
        new TestGraph()
            .input("x", -1, 64)
            .output("y", -1, 64)
            .floats("zero", List.of(), 0)
            .floats("many", List.of(), 4096)
            .floats("one", List.of(), 1)
            .integers("square", 64, 64)
            .node("Range", List.of("zero", "many", "one"), "numbers")
            .node("Reshape", List.of("numbers", "square"), "table")
            .node("Sin", List.of("table"), "waves")
            .node("MatMul", List.of("x", "waves"), "y")
            .write(folder);

    SavedModel saved = quantize(model);

    assertThat(saved.report().modules())
        .singleElement()
        .satisfies(module -> assertThat(module.decision().module()).isEqualTo("y"))
        .satisfies(
            module ->
                assertThat(module.decision().weights().reason()).contains("computed in the graph"));
    assertThat(Files.size(artifact(saved))).isLessThan(2000);
  }

  @Test
  void folds_a_table_of_which_rows_are_looked_up_by_constants_only_where_that_is_smaller() {
    Path model =
        product()
            .random("small_table", 100, 64)
            .random("large_table", 1000, 8)
            .integers("all", numbers(100))
            .integers("few", numbers(16))
            .node("Gather", List.of("small_table", "all"), "rows")
            .node("Gather", List.of("large_table", "few"), "bias")
            .node("ReduceMean", List.of("rows"), "mean", attribute("keepdims", 0))
            .node("Add", List.of("x", "bias"), "shifted")
            .node("Mul", List.of("shifted", "mean"), "y")
            .write(folder);

    // The mean of all rows is one number, so nothing of the small table is left to quantize.
    assertThat(modules(model)).isEmpty();
    assertThat(Graphs.nodes(artifact(quantize(model)), "Gather")).isEmpty();
  }

  @Test
  void keeps_a_table_whose_rows_are_all_looked_up_since_its_codes_are_smaller() {
    Path model =
        new TestGraph()
            .input("x", -1, 100, 64)
            .output("y", -1, 100, 64)
            .random("table", 100, 64)
            .integers("all", numbers(100))
            .node("Gather", List.of("table", "all"), "rows")
            .node("Add", List.of("x", "rows"), "y")
            .write(folder);

    SavedModel saved = quantize(model);

    assertThat(quantized(saved)).containsExactly("rows");
    assertThat(Graphs.nodes(artifact(saved), "Gather")).hasSize(2);
    assertThat(Graphs.distance(artifact(saved), model, Graphs.batch(1, 2, 100, 64)))
        .isLessThan(0.01);
  }

  private static long[] numbers(int count) {
    long[] numbers = new long[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = i;
    }
    return numbers;
  }

  @Test
  void has_no_batch_normalization_that_is_part_of_a_convolution() {
    assertThat(modules(Graphs.model("convolution"))).isNotEmpty().noneMatch("norm"::equals);
    assertThat(
            quantize(Graphs.model("convolution")).report().modules().stream()
                .map(module -> module.decision().type()))
        .doesNotContain("BatchNormalization");
  }

  /** A block that scales channels by their means, as in EfficientNet. */
  private static TestGraph squeezeExcite(TestGraph graph) {
    return graph
        .input("x", 1, 16, 12, 10)
        .output("y", 1, 16, 12, 10)
        .random("w", 16, 16, 1, 1)
        .random("squeeze", 8, 16, 1, 1)
        .random("excite", 16, 8, 1, 1)
        .node("Conv", List.of("x", "w"), "conv")
        .node("Sigmoid", List.of("conv"), "sigmoid")
        .node("Mul", List.of("conv", "sigmoid"), "silu");
  }

  private static TestGraph behindMean(TestGraph graph) {
    return graph
        .node("Conv", List.of("mean", "squeeze"), "squeezed")
        .node("Relu", List.of("squeezed"), "relu")
        .node("Conv", List.of("relu", "excite"), "excited")
        .node("Sigmoid", List.of("excited"), "gate")
        .node("Mul", List.of("silu", "gate"), "y");
  }

  @ParameterizedTest
  @CsvSource({"13, 2, 3", "13, -2, -1", "17, 3, 2", "18, 2, 3", "20, -1, -2"})
  void averages_whole_images_where_a_mean_over_rows_and_columns_stood(
      long opset, long first, long second) {
    TestGraph graph = squeezeExcite(new TestGraph().opset(opset));
    if (opset < 18) {
      graph.node("ReduceMean", List.of("silu"), "mean", attribute("axes", List.of(first, second)));
    } else {
      graph
          .integers("axes", first, second)
          .node("ReduceMean", List.of("silu", "axes"), "mean", attribute("keepdims", 1));
    }
    Path model = behindMean(graph).write(folder);

    Path artifact = artifact(unquantized(model));

    assertThat(Graphs.nodes(artifact, "ReduceMean")).isEmpty();
    assertThat(Graphs.nodes(artifact, "GlobalAveragePool"))
        .singleElement()
        .satisfies(node -> assertThat(node.inputs()).containsExactly("silu"));
    assertThat(Graphs.distance(artifact, model, Graphs.batch(3, 1, 16, 12, 10))).isLessThan(1e-6);
  }

  /** Prepared and written, with weights that lose nothing: those of no module are quantized. */
  private SavedModel unquantized(Path model) {
    return Quantization.weightsOf(module -> Plans.Wish.NATIVE).run(model, folder.resolve("out"));
  }

  /** Means that are no average of whole images. */
  @ParameterizedTest
  @ValueSource(strings = {"one axis", "channels", "without axes", "dropped axes", "computed axes"})
  void keeps_other_means(String kind) {
    TestGraph graph = squeezeExcite(new TestGraph().opset(18));
    switch (kind) {
      case "one axis" ->
          graph.integers("axes", 3).node("ReduceMean", List.of("silu", "axes"), "mean");
      case "channels" ->
          graph.integers("axes", 1, 2).node("ReduceMean", List.of("silu", "axes"), "mean");
      case "without axes" -> graph.node("ReduceMean", List.of("silu"), "mean");
      case "dropped axes" ->
          graph
              .integers("axes", 2, 3)
              .integers("shape", 1, 16, 1, 1)
              .node("ReduceMean", List.of("silu", "axes"), "flat", attribute("keepdims", 0))
              .node("Reshape", List.of("flat", "shape"), "mean");
      default ->
          graph
              .inputOf(TestGraph.INT64, "axes", 2)
              .node("ReduceMean", List.of("silu", "axes"), "mean");
    }
    Path model = graph.node("Mul", List.of("silu", "mean"), "y").write(folder);

    Path artifact = artifact(unquantized(model));

    assertThat(Graphs.nodes(artifact, "ReduceMean")).hasSize(1);
    assertThat(Graphs.nodes(artifact, "GlobalAveragePool")).isEmpty();
  }

  /** Norms written as single operators: the mean is subtracted from its own input. */
  @ParameterizedTest
  @ValueSource(ints = {3, 4})
  void keeps_the_means_of_norms(int rank) {
    long[] dims = {1, 4, 6, 5};
    long[] shape = Arrays.copyOf(dims, rank);
    TestGraph graph = new TestGraph().opset(18).input("x", shape).output("y", shape);
    long[] axes = LongStream.range(2, rank).toArray();
    Path model =
        graph
            .integers("axes", axes)
            .floats("epsilon", List.of(), 1e-5f)
            .node("ReduceMean", List.of("x", "axes"), "mean")
            .node("Sub", List.of("x", "mean"), "centered")
            .node("Pow", List.of("centered", "two"), "square")
            .floats("two", List.of(), 2)
            .node("ReduceMean", List.of("square", "axes"), "variance")
            .node("Add", List.of("variance", "epsilon"), "positive")
            .node("Sqrt", List.of("positive"), "deviation")
            .node("Div", List.of("centered", "deviation"), "y")
            .write(folder);

    Path artifact = artifact(unquantized(model));

    assertThat(Graphs.nodes(artifact, "ReduceMean")).hasSize(2);
    assertThat(Graphs.nodes(artifact, "GlobalAveragePool")).isEmpty();
    assertThat(Graphs.distance(artifact, model, Graphs.batch(3, shape))).isLessThan(1e-6);
  }

  /** ONNX Runtime's pooling has one to three spatial axes; with one it is rather part of a norm. */
  @ParameterizedTest
  @CsvSource({"3, 0", "4, 1", "5, 1", "6, 0"})
  void averages_images_and_volumes_alone(int rank, int pools) {
    long[] dims = {1, 3, 4, 2, 3, 2};
    long[] shape = Arrays.copyOf(dims, rank);
    Path model =
        new TestGraph()
            .opset(18)
            .input("x", shape)
            .output("y", shape)
            .integers("axes", LongStream.range(2, rank).toArray())
            .node("ReduceMean", List.of("x", "axes"), "mean")
            .node("Mul", List.of("x", "mean"), "y")
            .write(folder);

    Path artifact = artifact(unquantized(model));

    assertThat(Graphs.nodes(artifact, "GlobalAveragePool")).hasSize(pools);
    assertThat(Graphs.nodes(artifact, "ReduceMean")).hasSize(1 - pools);
    assertThat(Graphs.distance(artifact, model, Graphs.batch(3, shape))).isLessThan(1e-6);
  }

  @Test
  void does_not_fuse_a_batch_normalization_into_a_weight_that_others_read() {
    Path model =
        new TestGraph()
            .input("x", -1, 4, 6, 6)
            .output("y", -1, 4, 4, 4)
            .random("w", 4, 4, 3, 3)
            .floats("scale", List.of(4L), 1, 2, 3, 4)
            .floats("shift", List.of(4L), 4, 3, 2, 1)
            .floats("mean", List.of(4L), 1, 1, 1, 1)
            .floats("variance", List.of(4L), 1, 2, 1, 2)
            .node("Conv", List.of("x", "w"), "a")
            .node("Conv", List.of("x", "w"), "b")
            .node(
                "BatchNormalization", List.of("a", "scale", "shift", "mean", "variance"), "normal")
            .node("Add", List.of("normal", "b"), "y")
            .write(folder);

    SavedModel saved = quantize(model);

    assertThat(quantized(saved)).containsExactly("a", "b");
    assertThat(Graphs.nodes(artifact(saved), "BatchNormalization")).hasSize(1);
    assertThat(Graphs.distance(artifact(saved), model, Graphs.batch(1, 2, 4, 6, 6)))
        .isLessThan(0.015);
  }

  /** A convolution, and an operator that reads {@code conv} and writes {@code y}. */
  private static TestGraph convolution() {
    return new TestGraph()
        .input("x", -1, 4, 6, 6)
        .output("y", -1, 4, 4, 4)
        .random("w", 4, 4, 3, 3)
        .random("b", 4)
        .floats("channels", List.of(1L, 4L, 1L, 1L), 1, -2, 3, 0.5f)
        .floats("without_samples", List.of(4L, 1L, 1L), 1, -2, 3, 0.5f)
        .floats("one", List.of(), 3)
        .floats("columns", List.of(4L), 1, -2, 3, 0.5f)
        .floats("samples", List.of(4L, 1L, 1L, 1L), 1, -2, 3, 0.5f);
  }

  @ParameterizedTest
  @CsvSource({
    "Add, conv, channels",
    "Add, without_samples, conv",
    "Add, conv, one",
    "Sub, conv, channels",
    "Mul, conv, channels",
    "Mul, one, conv",
    "Div, conv, without_samples"
  })
  void computes_constants_of_channels_into_a_convolution(String operator, String a, String b) {
    Path model =
        convolution()
            .node("Conv", List.of("x", "w", "b"), "conv")
            .node(operator, List.of(a, b), "y")
            .write(folder);

    SavedModel saved = quantize(model);

    assertThat(quantized(saved)).containsExactly("conv");
    assertThat(Graphs.nodes(artifact(saved), operator)).isEmpty();
    assertThat(Graphs.distance(artifact(saved), model, Graphs.batch(1, 2, 4, 6, 6)))
        .isLessThan(0.015);
  }

  @ParameterizedTest
  @CsvSource({"Add, conv, columns", "Sub, one, conv", "Div, one, conv", "Add, conv, conv"})
  void leaves_what_is_no_constant_of_channels_behind_a_convolution(
      String operator, String a, String b) {
    Path model =
        convolution()
            .node("Conv", List.of("x", "w", "b"), "conv")
            .node(operator, List.of(a, b), "y")
            .write(folder);

    assertThat(Graphs.nodes(artifact(quantize(model)), operator)).hasSize(1);
  }

  @Test
  void does_not_let_a_convolution_of_one_sample_add_constants_of_several() {
    Path model =
        convolution()
            .node("Conv", List.of("x", "w"), "conv")
            .node("Add", List.of("conv", "samples"), "y")
            .write(folder);

    SavedModel saved = quantize(model);

    assertThat(Graphs.nodes(artifact(saved), "Add")).hasSize(1);
  }

  @Test
  void leaves_a_sum_behind_a_convolution_that_something_else_reads() {
    Path model =
        convolution()
            .node("Conv", List.of("x", "w"), "conv")
            .node("Add", List.of("conv", "channels"), "sum")
            .node("Mul", List.of("conv", "sum"), "y")
            .write(folder);

    SavedModel saved = quantize(model);

    assertThat(Graphs.nodes(artifact(saved), "Add")).hasSize(1);
    assertThat(Graphs.distance(artifact(saved), model, Graphs.batch(1, 2, 4, 6, 6)))
        .isLessThan(0.03);
  }

  @Test
  void computes_several_constants_one_after_another_into_a_convolution() {
    Path model =
        convolution()
            .node("Conv", List.of("x", "w"), "conv")
            .node("Identity", List.of("conv"), "copy")
            .node("Mul", List.of("copy", "channels"), "scaled")
            .node("Identity", List.of("scaled"), "scaled_copy")
            .node("Add", List.of("one", "scaled_copy"), "y")
            .write(folder);

    SavedModel saved = quantize(model);

    assertThat(Graphs.nodes(artifact(saved), "Mul")).isEmpty();
    assertThat(Graphs.nodes(artifact(saved), "Add")).isEmpty();
    assertThat(Graphs.distance(artifact(saved), model, Graphs.batch(1, 2, 4, 6, 6)))
        .isLessThan(0.015);
  }

  @Test
  void has_no_copies_of_values_except_for_its_outputs() {
    Path model =
        new TestGraph()
            .input("x", -1, 64)
            .output("y", -1, 64)
            .output("z", -1, 64)
            .random("w", 0.1, 64, 64)
            .node("Identity", List.of("x"), "copy")
            .node("MatMul", List.of("copy", "w"), "product")
            .node("Dropout", List.of("product"), "dropped")
            .node("Identity", List.of("dropped"), "y")
            .node("Relu", List.of("dropped"), "z")
            .write(folder);

    SavedModel saved = quantize(model);

    assertThat(Graphs.nodes(artifact(saved), "Identity"))
        .singleElement()
        .satisfies(node -> assertThat(node.inputs()).containsExactly("product"));
    assertThat(Graphs.nodes(artifact(saved), "Dropout")).isEmpty();
    assertThat(Graphs.distance(artifact(saved), model, Graphs.batch(1, 4, 64))).isLessThan(0.015);
  }

  @Test
  void computes_nothing_that_grows_beyond_all_bounds() {
    TestGraph graph = product().random("t0", 8, 8);
    for (int i = 0; i < 40; i++) {
      graph.node("Concat", List.of("t" + i, "t" + i), "t" + (i + 1), attribute("axis", 0));
    }
    Path model =
        graph
            .node("Shape", List.of("t40"), "shape")
            .node("Cast", List.of("shape"), "sizes", attribute("to", 1))
            .node("ReduceSum", List.of("sizes"), "sum", attribute("keepdims", 0))
            .node("Mul", List.of("x", "sum"), "y")
            .write(folder);

    assertThat(Graphs.nodes(artifact(quantize(model)), "Concat")).isNotEmpty();
  }

  @Test
  void computes_no_product_that_takes_too_long() {
    TestGraph graph = product().random("m0", 512, 512);
    for (int i = 0; i < 200; i++) {
      graph.node("MatMul", List.of("m" + i, "m" + i), "m" + (i + 1));
    }
    Path model =
        graph
            .node("ReduceMax", List.of("m200"), "largest", attribute("keepdims", 0))
            .node("Mul", List.of("x", "largest"), "y")
            .write(folder);

    assertThat(Graphs.nodes(artifact(quantize(model)), "ReduceMax")).hasSize(1);
  }

  @Test
  void leaves_nodes_alone_that_the_runtime_cannot_compute_and_folds_the_others() {
    Path model =
        product()
            .random("w", 8, 8)
            .random("v", 8, 8)
            .node("Transpose", List.of("w"), "made")
            .node("Reshape", List.of("v", "wrong"), "broken")
            .integers("wrong", 3, 3)
            .node("MatMul", List.of("x", "made"), "y")
            .output("broken", 3, 3)
            .write(folder);

    assertThat(modules(model)).containsExactly("y");
    assertThat(Graphs.nodes(artifact(quantize(model)), "Reshape")).hasSize(1);
  }

  @Test
  void reads_a_shared_constant_and_no_copy_of_it() throws IOException {
    Path model =
        new TestGraph()
            .input("x", -1, 64)
            .output("y", -1, 64)
            .random("w", 0.1, 64, 64)
            .node("Identity", List.of("w"), "copy")
            .node("Identity", List.of("copy"), "copy_of_copy")
            .node("MatMul", List.of("x", "w"), "a")
            .node("MatMul", List.of("a", "copy"), "b")
            .node("MatMul", List.of("b", "copy_of_copy"), "y")
            .write(folder);

    SavedModel saved = quantize(model);

    assertThat(quantized(saved)).containsExactly("a", "b", "y");
    assertThat(Graphs.nodes(artifact(saved), "Identity")).isEmpty();
    assertThat(Files.size(artifact(saved))).isLessThan(Files.size(model) / 2);
    assertThat(Graphs.distance(artifact(saved), model, Graphs.batch(1, 4, 64))).isLessThan(0.03);
  }

  @Test
  void names_modules_as_the_file_does() {
    List<String> names = new ArrayList<>();
    try (QuantizableModel file = new OnnxFormat().open(Graphs.model("inner"))) {
      file.modules().forEach(module -> names.add(module.name()));
    }

    assertThat(modules(Graphs.model("inner"))).isNotEmpty().isSubsetOf(names);
  }

  /** Two products whose weights are equal. */
  private static TestGraph twins() {
    float[] weight = TestGraph.values("w", 0.1, 64, 64);
    return new TestGraph()
        .input("x", -1, 64)
        .output("y", -1, 64)
        .floats("w0", List.of(64L, 64L), weight)
        .floats("w1", List.of(64L, 64L), weight)
        .node("MatMul", List.of("x", "w0"), "a")
        .node("MatMul", List.of("a", "w1"), "y");
  }

  private static final TensorBatch WIDE = Graphs.batch(1, 16, 64);

  @Test
  void stores_weights_once_that_are_equal_byte_by_byte() throws IOException {
    Path model = twins().write(folder);

    SavedModel saved = quantize(model);

    assertThat(quantized(saved)).containsExactlyInAnyOrder("a", "y");
    assertThat(Files.size(artifact(saved))).isLessThan(2 * 64 * 64);
    assertThat(Graphs.distance(artifact(saved), model, WIDE)).isLessThan(0.015);
  }

  @Test
  void keeps_weights_apart_that_differ_in_their_last_value() throws IOException {
    float[] other = TestGraph.values("w", 0.1, 64, 64);
    other[other.length - 1] += 1;
    Path model =
        new TestGraph()
            .input("x", -1, 64)
            .output("y", -1, 64)
            .random("w", 0.1, 64, 64)
            .floats("v", List.of(64L, 64L), other)
            .node("MatMul", List.of("x", "w"), "a")
            .node("MatMul", List.of("a", "v"), "y")
            .write(folder);

    SavedModel saved = quantize(model);

    assertThat(Files.size(artifact(saved))).isGreaterThan(2 * 64 * 64);
    assertThat(Graphs.distance(artifact(saved), model, WIDE)).isLessThan(0.015);
  }

  @Test
  void loads_where_onnx_runtime_makes_uint8_of_a_weight_that_several_nodes_read() throws Exception {
    Path artifact = artifact(quantize(twins().write(folder)));

    assertThat(Graphs.nodes(artifact, "Reshape")).hasSize(1);
    assertThat(Graphs.nodes(artifact, "DequantizeLinear")).hasSize(2);
    try (var options = new OrtSession.SessionOptions()) {
      options.addConfigEntry("session.x64quantprecision", "1");
      try (OrtSession session =
          OrtEnvironment.getEnvironment().createSession(artifact.toString(), options)) {
        assertThat(session.getOutputNames()).containsExactly("y");
      }
    }
  }
}
