package dev.kvant.backend.onnx;

import static dev.kvant.backend.onnx.TestGraph.attribute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.OperatorReport;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import dev.kvant.onnx.proto.AttributeProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Regions of int8 operators")
class PlacementTest {

  private static final long CHANNELS = 32;
  private static final long SIDE = 24;
  private static final TensorBatch IMAGE = Graphs.batch(3, 1, CHANNELS, SIDE, SIDE);

  /** The tensors in front of the operator of a test, and behind it. */
  private static final String BEFORE = "before";

  private static final String BEHIND = "behind";

  private static final AttributeProto PADS = attribute("pads", List.of(1L, 1L, 1L, 1L));
  private static final AttributeProto KERNEL = attribute("kernel_shape", List.of(3L, 3L));
  private static final AttributeProto STRIDES = attribute("strides", List.of(2L, 2L));

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"Relu", "Clip"})
  void let_the_range_of_codes_do_the_work_of_an_activation_function(String operator) {
    TestGraph graph = convolutions().floats("low", List.of(), 0).floats("high", List.of(), 0.5f);
    Written quantized =
        speed(
            operator.equals("Clip")
                ? graph.node(operator, List.of(BEFORE, "low", "high"), BEHIND)
                : graph.node(operator, List.of(BEFORE), BEHIND));

    assertThat(quantized.nodes(operator)).isEmpty();
    assertThat(quantized.zeroPoint(BEHIND)).isZero();
    if (operator.equals("Clip")) {
      assertThat(255 * quantized.scale(BEHIND)).isBetween(0.3f, 0.50001f);
    }
  }

  @Test
  void keep_an_activation_function_whose_output_was_always_zero() {
    float[] signs = new float[(int) (CHANNELS * CHANNELS)];
    for (int i = 0; i < signs.length; i++) {
      signs[i] = i % CHANNELS < CHANNELS / 2 ? 0.1f : -0.1f;
    }
    TestGraph graph =
        convolutions()
            .floats("signs", List.of(CHANNELS, CHANNELS, 1L, 1L), signs)
            .node("Conv", List.of("x", "signs"), "negative")
            .node("Relu", List.of("negative"), BEHIND)
            .node("Conv", List.of(BEHIND, "w2"), "y", PADS, KERNEL);

    Path quantized = save(graph, "speed", opposite(0)).artifacts().get(0).path();

    try (OnnxFile file = OnnxFile.open(quantized)) {
      assertThat(new Written(file.load()).nodes("Relu")).hasSize(1);
    }
    assertThat(Graphs.distance(quantized, folder.resolve("model.onnx"), opposite((int) SIDE / 2)))
        .isLessThan(0.05);
  }

  /** One half of the channels is negative, in so many columns the other half. */
  private static TensorBatch opposite(int columns) {
    float[] values = new float[(int) (CHANNELS * SIDE * SIDE)];
    for (int i = 0; i < values.length; i++) {
      boolean isFirstHalf = i < values.length / 2;
      boolean isTurned = i % SIDE < columns;
      values[i] = (isFirstHalf == isTurned ? 1 : -1) * (1 + (float) Math.abs(Math.sin(i)));
    }
    return new TensorBatch(Map.of("x", Tensor.ofFloats(values, 1, CHANNELS, SIDE, SIDE)));
  }

  @Test
  void keep_an_activation_function_whose_input_something_else_reads() {
    Written quantized =
        speed(
            convolutions()
                .node("Relu", List.of(BEFORE), "relu")
                .node("Add", List.of("relu", BEFORE), BEHIND));

    assertThat(quantized.nodes("Relu")).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Add", "Mul"})
  void compute_with_the_codes_of_two_activations(String operator) {
    Written quantized =
        speed(
            convolutions()
                .node("Conv", List.of(BEFORE, "w1"), "other", PADS, KERNEL)
                .node(operator, List.of(BEFORE, "other"), BEHIND));

    quantized.assertInInt8(operator, 2);
    assertThat(Stream.of(BEFORE, "other", BEHIND).map(quantized::scale).distinct()).hasSize(3);
  }

  @Test
  void give_all_that_a_concat_joins_one_scale() {
    Written quantized =
        speed(
            convolutions(2 * CHANNELS, SIDE)
                .node("Conv", List.of("x", "w3"), "other", PADS, KERNEL)
                .node("Concat", List.of(BEFORE, "other"), BEHIND, attribute("axis", 1)));

    quantized.assertInInt8("Concat", 2);
    assertThat(Stream.of(BEFORE, "other", BEHIND).map(quantized::scale).distinct()).hasSize(1);
  }

  @Test
  void leave_a_scale_of_its_own_to_what_a_concat_joins_and_others_read() {
    Written quantized =
        speed(
            convolutions(2 * CHANNELS, SIDE)
                .node("Conv", List.of(BEFORE, "w1"), "other", PADS, KERNEL)
                .node("Concat", List.of(BEFORE, "other"), BEHIND, attribute("axis", 1)));

    quantized.assertInInt8("Concat", 2);
    assertThat(quantized.scale("other")).isEqualTo(quantized.scale(BEHIND));
    assertThat(quantized.scale(BEFORE)).isNotEqualTo(quantized.scale(BEHIND));
  }

  @Test
  void leave_a_scale_of_its_own_to_what_is_moved_to_a_concat_and_others_read() {
    Written quantized =
        speed(
            convolutions(2 * CHANNELS, SIDE / 2)
                .random("large", 3.0, CHANNELS, CHANNELS, 3, 3)
                .node(
                    "MaxPool",
                    List.of(BEFORE),
                    "pooled",
                    attribute("kernel_shape", List.of(2L, 2L)),
                    STRIDES)
                .node("Conv", List.of(BEFORE, "large"), "other", PADS, KERNEL, STRIDES)
                .node("Concat", List.of("pooled", "other"), BEHIND, attribute("axis", 1)));

    quantized.assertInInt8("Concat", 2);
    assertThat(quantized.scale("other")).isEqualTo(quantized.scale(BEHIND));
    assertThat(quantized.scale("pooled")).isEqualTo(quantized.scale(BEFORE));
    assertThat(quantized.scale(BEFORE)).isLessThan(quantized.scale(BEHIND) / 4);
  }

  /** Operators that only move values, and how large images are behind them. */
  static Stream<Move> moves() {
    return Stream.of(
        new Move(
            "MaxPool",
            SIDE / 2,
            g ->
                g.node(
                    "MaxPool",
                    List.of(BEFORE),
                    BEHIND,
                    attribute("kernel_shape", List.of(2L, 2L)),
                    STRIDES)),
        new Move(
            "Transpose",
            SIDE,
            g ->
                g.node(
                    "Transpose",
                    List.of(BEFORE),
                    BEHIND,
                    attribute("perm", List.of(0L, 1L, 3L, 2L)))),
        new Move(
            "Reshape",
            SIDE,
            g ->
                g.integers("shape", 1, CHANNELS, SIDE, SIDE)
                    .node("Reshape", List.of(BEFORE, "shape"), BEHIND)),
        new Move(
            "Slice",
            SIDE / 2,
            g ->
                g.integers("from", 0, 0)
                    .integers("to", SIDE / 2, SIDE / 2)
                    .integers("axes", 2, 3)
                    .node("Slice", List.of(BEFORE, "from", "to", "axes"), BEHIND)));
  }

  /** An operator, the side of the images behind it, and how it is added. */
  private record Move(String operator, long side, UnaryOperator<TestGraph> add) {
    @Override
    public String toString() {
      return operator;
    }
  }

  @ParameterizedTest
  @MethodSource("moves")
  void give_moved_values_the_scale_that_they_had(Move move) {
    Written quantized = speed(move.add().apply(convolutions(CHANNELS, move.side())));

    quantized.assertInInt8(move.operator(), 1);
    assertThat(quantized.scale(BEHIND)).isEqualTo(quantized.scale(BEFORE));
    assertThat(quantized.zeroPoint(BEHIND)).isEqualTo(quantized.zeroPoint(BEFORE));
  }

  @Test
  void give_all_parts_of_a_split_one_scale() {
    Written quantized =
        speed(
            convolutions()
                .node(
                    "Split",
                    "split",
                    List.of(BEFORE),
                    List.of("left", "right"),
                    attribute("axis", 1))
                .node("Concat", List.of("right", "left"), BEHIND, attribute("axis", 1)));

    quantized.assertInInt8("Split", 1);
    assertThat(Stream.of(BEFORE, "left", "right", BEHIND).map(quantized::scale).distinct())
        .hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Sigmoid", "LeakyRelu"})
  void look_a_function_up_by_codes(String operator) {
    Written quantized = speed(convolutions().node(operator, List.of(BEFORE), BEHIND));

    quantized.assertInInt8(operator, 1);
  }

  @Test
  void give_a_sigmoid_the_codes_from_0_to_1_whatever_was_observed() {
    Written quantized = speed(convolutions().node("Sigmoid", List.of(BEFORE), BEHIND));

    assertThat(quantized.scale(BEHIND)).isEqualTo(1f / 255);
    assertThat(quantized.zeroPoint(BEHIND)).isZero();
  }

  @Test
  void average_whole_images_by_codes() {
    Written quantized =
        run(
            new TestGraph()
                .input("x", 1, CHANNELS, SIDE, SIDE)
                .output("y", 1, CHANNELS, 1, 1)
                .random("w1", 0.1, CHANNELS, CHANNELS, 3, 3)
                .random("w2", 0.1, CHANNELS, CHANNELS, 1, 1)
                .node("Conv", List.of("x", "w1"), BEFORE, PADS, KERNEL)
                .node("GlobalAveragePool", List.of(BEFORE), BEHIND)
                .node("Conv", List.of(BEHIND, "w2"), "y"),
            "speed",
            IMAGE);

    quantized.assertInInt8("GlobalAveragePool", 1);
  }

  @Test
  void multiply_the_codes_of_two_activations_and_leave_the_sums_float() {
    TestGraph graph =
        new TestGraph()
            .input("x", 1, 512, 256)
            .output("y", 1, 512, 256)
            .random("wq", 0.02, 256, 256)
            .random("wk", 0.02, 256, 256)
            .random("wo", 0.1, 512, 256)
            .node("MatMul", List.of("x", "wq"), "q")
            .node("MatMul", List.of("x", "wk"), "k")
            .node("Transpose", List.of("k"), "t", attribute("perm", List.of(0L, 2L, 1L)))
            .node("MatMul", List.of("q", "t"), "scores")
            .node("Tanh", List.of("scores"), "weights")
            .node("MatMul", List.of("weights", "wo"), "y");
    Written quantized = run(graph, "speed", Graphs.batch(5, 1, 512, 256));

    Node scores = quantized.nodes("MatMul").get(2);
    assertThat(scores.outputs()).containsExactly("scores");
    assertThat(scores.inputs()).allMatch(input -> quantized.producer(input).is("DequantizeLinear"));
    assertThat(quantized.reader("scores").opType()).isEqualTo("Tanh");
  }

  @ParameterizedTest
  @ValueSource(strings = {"balanced", "speed"})
  void end_before_the_outputs_of_the_graph(String optimize) {
    Written quantized =
        run(
            new TestGraph()
                .input("x", 1, CHANNELS, SIDE, SIDE)
                .output("y", 1, CHANNELS, SIDE, SIDE)
                .random("w1", 0.1, CHANNELS, CHANNELS, 3, 3)
                .node("Conv", List.of("x", "w1"), BEFORE, PADS, KERNEL)
                .node("Sigmoid", List.of(BEFORE), BEHIND)
                .node("Mul", List.of(BEFORE, BEHIND), "y"),
            optimize,
            IMAGE);

    assertThat(quantized.producer(quantized.nodes("Sigmoid").get(0).input(0)).opType())
        .isIn("Conv", "DequantizeLinear");
    assertThat(quantized.producer("y").opType()).isEqualTo("Mul");
    assertThat(quantized.model().graph().nodes())
        .noneMatch(node -> node.is("QuantizeLinear") && node.input(0).equals(BEHIND));
  }

  @Test
  void include_a_depthwise_convolution_that_would_be_slow_with_restored_weights() {
    TestGraph graph =
        convolutions()
            .random("depth", 0.3, CHANNELS, 1, 3, 3)
            .node(
                "Conv",
                List.of(BEFORE, "depth"),
                BEHIND,
                PADS,
                KERNEL,
                attribute("group", CHANNELS));

    Written quantized = speed(graph);

    Node depthwise = quantized.nodes("Conv").get(1);
    assertThat(quantized.producer(depthwise.input(0)).opType()).isEqualTo("DequantizeLinear");
    assertThat(quantized.reader(depthwise.outputs().get(0)).opType()).isEqualTo("QuantizeLinear");
  }

  @Test
  void do_not_exist_where_accuracy_is_asked_for() {
    Written quantized =
        run(
            convolutions()
                .node("Sigmoid", List.of(BEFORE), BEHIND)
                .node("Conv", List.of(BEHIND, "w2"), "y", PADS, KERNEL),
            "accuracy",
            IMAGE);

    assertThat(quantized.nodes("QuantizeLinear"))
        .extracting(node -> node.input(0))
        .containsExactlyInAnyOrder("x", BEHIND);
  }

  @Test
  void do_not_take_the_indices_of_a_pooling_for_activations() {
    TestGraph graph =
        convolutions(CHANNELS, SIDE / 2)
            .integers("shape", 1, CHANNELS, SIDE / 2, SIDE / 2)
            .node(
                "MaxPool",
                "pool",
                List.of(BEFORE),
                List.of("largest", "indices"),
                attribute("kernel_shape", List.of(2L, 2L)),
                STRIDES)
            .node("Reshape", List.of("indices", "shape"), "places")
            .node("Cast", List.of("places"), "numbers", attribute("to", TestGraph.FLOAT))
            .floats("small", List.of(), 1e-6f)
            .node("Mul", List.of("numbers", "small"), "scaled")
            .node("Add", List.of("largest", "scaled"), BEHIND);

    Written quantized = speed(graph);

    assertThat(quantized.nodes("QuantizeLinear"))
        .extracting(node -> node.input(0))
        .doesNotContain("indices", "places");
  }

  @Test
  void report_what_stays_float_with_the_reason() {
    TestGraph graph =
        convolutions(CHANNELS, 2 * SIDE)
            .random("up", 0.1, CHANNELS, CHANNELS, 2, 2)
            .node(
                "ConvTranspose",
                List.of(BEFORE, "up"),
                BEHIND,
                attribute("kernel_shape", List.of(2L, 2L)),
                STRIDES)
            .node("Conv", List.of(BEHIND, "w2"), "y", PADS, KERNEL);

    SavedModel saved = save(graph, "speed", IMAGE);

    assertThat(module(saved, BEHIND).activations().isQuantized()).isFalse();
    assertThat(module(saved, BEHIND).activations().reason())
        .isEqualTo("it computes in float here: ONNX Runtime has no integer kernel for it");
    assertThat(module(saved, BEFORE).activations().isQuantized()).isTrue();
  }

  @Test
  void report_products_that_are_too_small_for_int8() {
    SavedModel saved = save(product(2), "speed", Graphs.batch(3, 1, 2));

    assertThat(module(saved, "y").activations().isQuantized()).isFalse();
    assertThat(module(saved, "y").activations().reason())
        .startsWith("it computes in float here: by the table of kernel costs");
    assertThat(saved.report().warnings()).isEmpty();
  }

  @Test
  void warn_where_a_graph_is_slower_with_them() {
    SavedModel saved = save(product(64), "speed", Graphs.batch(3, 1, 64));

    assertThat(module(saved, "y").activations().isQuantized()).isTrue();
    assertThat(saved.report().warnings())
        .singleElement()
        .satisfies(
            warning ->
                assertThat(warning.message())
                    .startsWith("by the table of kernel costs this graph has 0.")
                    .contains("weight_only_ptq"));
  }

  @Test
  void are_reported_without_a_warning_where_int8_is_faster() {
    SavedModel saved =
        save(
            convolutions()
                .node("Sigmoid", List.of(BEFORE), BEHIND)
                .node("Conv", List.of(BEHIND, "w2"), "y", PADS, KERNEL),
            "balanced",
            IMAGE);

    assertThat(saved.report().warnings()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"Add", "Sigmoid", "Concat", "MaxPool", "Relu"})
  void leave_an_operator_float_that_the_plan_keeps_native(String operator) {
    TestGraph graph =
        convolutions(2 * CHANNELS, SIDE / 2)
            .node("Conv", List.of(BEFORE, "w1"), "second", PADS, KERNEL)
            .node("Relu", List.of("second"), "other")
            .node("Add", List.of(BEFORE, "other"), "sum")
            .node("Sigmoid", List.of("sum"), "gate")
            .node("Concat", List.of("gate", "sum"), "both", attribute("axis", 1))
            .node(
                "MaxPool",
                List.of("both"),
                BEHIND,
                attribute("kernel_shape", List.of(2L, 2L)),
                STRIDES)
            .node("Conv", List.of(BEHIND, "w2"), "y", PADS, KERNEL);
    SavedModel saved =
        Quantization.staticOf(
                module -> Plans.Wish.both(Dtype.INT8), CalibrationDataset.of(List.of(IMAGE)))
            .with("optimize", "speed")
            .keeping(each -> each.type().equals(operator))
            .run(graph.write(folder), folder.resolve("quantized"));
    Path quantized = saved.artifacts().get(0).path();

    assertThat(Graphs.distance(quantized, folder.resolve("model.onnx"), IMAGE)).isLessThan(0.05);
    assertThat(saved.report().operators())
        .filteredOn(report -> report.type().equals(operator))
        .singleElement()
        .satisfies(
            report ->
                assertThat(report.outcome().reason())
                    .isEqualTo("by skip_names[0] '%s'".formatted(operator)));
    assertThat(saved.report().operators())
        .filteredOn(report -> report.outcome().isQuantized())
        .extracting(OperatorReport::type)
        .contains(operator.equals("Relu") ? "Add" : "Relu")
        .doesNotContain(operator);
  }

  @Test
  void leave_the_sum_of_a_residual_connection_as_it_is_computed_where_sums_are_kept() {
    TestGraph graph =
        convolutions()
            .node("Conv", List.of(BEFORE, "w1"), "branch", PADS, KERNEL)
            .node("Add", List.of(BEFORE, "branch"), "sum")
            .node("Conv", List.of("sum", "w3"), "second branch", PADS, KERNEL)
            .node("Add", List.of("sum", "second branch"), BEHIND)
            .node("Conv", List.of(BEHIND, "w2"), "y", PADS, KERNEL);

    assertThat(whatTheSecondSumReads(graph, false).opType()).isEqualTo("DequantizeLinear");
    assertThat(whatTheSecondSumReads(graph, true).opType()).isEqualTo("Add");
  }

  private Node whatTheSecondSumReads(TestGraph graph, boolean isKept) {
    Path quantized =
        Quantization.staticOf(
                module -> Plans.Wish.both(Dtype.INT8), CalibrationDataset.of(List.of(IMAGE)))
            .with("optimize", "speed")
            .keeping(each -> isKept && each.type().equals("Add"))
            .run(graph.write(folder), folder.resolve("quantized"))
            .artifacts()
            .get(0)
            .path();
    assertThat(Graphs.distance(quantized, folder.resolve("model.onnx"), IMAGE)).isLessThan(0.05);
    try (OnnxFile file = OnnxFile.open(quantized)) {
      Written written = new Written(file.load());
      return written.producer(written.nodes("Add").get(1).input(0));
    }
  }

  @Test
  void report_why_operators_without_weights_stay_float() {
    TestGraph graph =
        convolutions()
            .output("z", 1, CHANNELS, SIDE, SIDE)
            .node("Tanh", List.of(BEFORE), "curved")
            .node("Add", List.of("curved", BEFORE), BEHIND)
            .node("Conv", List.of(BEHIND, "w2"), "y", PADS, KERNEL)
            .node("Sigmoid", List.of("y"), "z");

    assertThat(save(graph, "speed", IMAGE).report().operators())
        .extracting(OperatorReport::type, report -> String.valueOf(report.outcome().reason()))
        .contains(
            tuple("Tanh", "ONNX Runtime has no integer kernel for it"),
            tuple(
                "Sigmoid",
                "no product that is quantized depends on it: outputs, and what is computed of"
                    + " them, such as boxes, stay float"));
  }

  /**
   * A decoder as in detectors that refine boxes layer by layer: offsets move reference points, at
   * which features are read, from which the next layer computes.
   */
  private static TestGraph refiningDetector() {
    return new TestGraph()
        .opset(17)
        .input("x", 1, CHANNELS, SIDE, SIDE)
        .output("y", 1, SIDE, SIDE, CHANNELS)
        .random("w1", 0.1, CHANNELS, CHANNELS, 3, 3)
        .random("w2", 0.1, CHANNELS, CHANNELS, 3, 3)
        .random("offset", 0.1, 2, CHANNELS, 1, 1)
        .random("last", 0.1, CHANNELS, CHANNELS)
        .floats("half", List.of(), 0.5f)
        .floats("one", List.of(), 1)
        .floats("two", List.of(), 2)
        .node("Conv", List.of("x", "w1"), "features", PADS, KERNEL)
        .node("Relu", List.of("features"), "active")
        .node("Conv", List.of("active", "offset"), "offsets")
        .node("Transpose", List.of("offsets"), "points", attribute("perm", List.of(0L, 2L, 3L, 1L)))
        .node("Sigmoid", List.of("points"), "references")
        .node("Add", List.of("references", "references"), "doubled")
        .node("Sub", List.of("doubled", "one"), "grid")
        .node("GridSample", List.of("active", "grid"), "sampled", attribute("align_corners", 0))
        .node("Conv", List.of("sampled", "w2"), "decoded", PADS, KERNEL)
        .node("Add", List.of("decoded", "active"), "residual")
        .node("Transpose", List.of("residual"), "rows", attribute("perm", List.of(0L, 2L, 3L, 1L)))
        .node("MatMul", List.of("rows", "last"), "y");
  }

  @ParameterizedTest
  @ValueSource(strings = {"balanced", "speed"})
  void leave_the_coordinates_float_at_which_features_are_read(String optimize) {
    SavedModel saved = save(refiningDetector(), optimize, IMAGE);

    assertThat(saved.report().operators())
        .filteredOn(
            report ->
                String.valueOf(report.outcome().reason()).startsWith("other values are chosen by"))
        .flatExtracting(OperatorReport::operators)
        .containsExactlyInAnyOrder("points", "references", "doubled", "grid");
    assertThat(outcome(saved, "residual").isQuantized()).isTrue();
    // Noise is read at positions that the code of an offset moves.
    assertThat(
            Graphs.distance(saved.artifacts().get(0).path(), folder.resolve("model.onnx"), IMAGE))
        .isLessThan(0.1);
  }

  @Test
  void leave_what_a_detector_does_with_its_outputs_float() {
    TestGraph graph =
        new TestGraph()
            .input("x", 1, CHANNELS, SIDE, SIDE)
            .outputOf(TestGraph.INT64, "kept", -1, 3)
            .output("best", 1, 1, 5)
            .random("w1", 0.1, CHANNELS, CHANNELS, 3, 3)
            .random("wb", 0.1, 4, CHANNELS, 1, 1)
            .random("ws", 0.1, 1, CHANNELS, 1, 1)
            .integers("boxes shape", 1, 4, SIDE * SIDE)
            .integers("scores shape", 1, 1, SIDE * SIDE)
            .integers("most", 5)
            .floats("threshold", List.of(), 0.5f)
            .floats("stride", List.of(), 8)
            .node("Conv", List.of("x", "w1"), "features", PADS, KERNEL)
            .node("Relu", List.of("features"), "active")
            .node("Conv", List.of("active", "wb"), "boxes map")
            .node("Conv", List.of("active", "ws"), "scores map")
            .node("Reshape", List.of("boxes map", "boxes shape"), "deltas")
            .node("Mul", List.of("deltas", "stride"), "scaled")
            .node("Transpose", List.of("scaled"), "boxes", attribute("perm", List.of(0L, 2L, 1L)))
            .node("Reshape", List.of("scores map", "scores shape"), "logits")
            .node("Sigmoid", List.of("logits"), "scores")
            .node("NonMaxSuppression", List.of("boxes", "scores", "most", "threshold"), "kept")
            .node("TopK", "TopK", List.of("scores", "most"), List.of("best", "places"));

    SavedModel saved = save(graph, "speed", IMAGE);

    for (String operator :
        List.of("deltas", "scaled", "boxes", "logits", "scores", "kept", "TopK")) {
      assertThat(outcome(saved, operator).reason())
          .as(operator)
          .startsWith("no product that is quantized depends on it");
    }
    assertThat(outcome(saved, "active").isQuantized()).isTrue();
  }

  @Test
  void leave_float_what_a_body_chooses_by() {
    TestGraph some =
        new TestGraph()
            .integers("most", 5)
            .node("TopK", "TopK", List.of("scores", "most"), List.of("some", "places"))
            .output("some", 1, CHANNELS, SIDE, 5);
    TestGraph other =
        new TestGraph()
            .integers("few", 5)
            .node("TopK", "TopK", List.of("scores", "few"), List.of("other", "others"))
            .output("other", 1, CHANNELS, SIDE, 5);
    TestGraph graph =
        convolutions()
            .floats("zero", List.of(), 0)
            .output("best", 1, CHANNELS, SIDE, 5)
            .node("Relu", List.of(BEFORE), BEHIND)
            .node("Conv", List.of(BEHIND, "w2"), "map", PADS, KERNEL)
            .node("Relu", List.of("map"), "scores")
            .node("ReduceSum", List.of("x"), "sum", attribute("keepdims", 0))
            .node("Greater", List.of("sum", "zero"), "positive")
            .node(
                "If",
                List.of("positive"),
                "best",
                attribute("then_branch", some),
                attribute("else_branch", other))
            .node("Conv", List.of("scores", "w2"), "y", PADS, KERNEL);

    SavedModel saved = save(graph, "speed", IMAGE);

    assertThat(outcome(saved, "scores").isQuantized()).isFalse();
    assertThat(outcome(saved, "scores").reason()).startsWith("other values are chosen by");
    assertThat(outcome(saved, BEHIND).isQuantized()).isTrue();
  }

  private static OperandOutcome outcome(SavedModel saved, String operator) {
    return saved.report().operators().stream()
        .filter(report -> report.operators().contains(operator))
        .map(OperatorReport::outcome)
        .findFirst()
        .orElseThrow(() -> new AssertionError(operator + " in " + saved.report().operators()));
  }

  @Test
  void report_no_operators_without_weights_where_there_are_none() {
    SavedModel saved =
        save(
            convolutions()
                .node("Sigmoid", List.of(BEFORE), BEHIND)
                .node("Conv", List.of(BEHIND, "w2"), "y", PADS, KERNEL),
            "accuracy",
            IMAGE);

    assertThat(saved.report().operators()).isEmpty();
  }

  private static TestGraph product(long size) {
    return new TestGraph()
        .input("x", 1, size)
        .output("y", 1, size)
        .random("w", 0.1, size, size)
        .node("MatMul", List.of("x", "w"), "y");
  }

  private static ModuleReport module(SavedModel saved, String name) {
    return saved.report().modules().stream()
        .filter(module -> module.decision().module().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** Two convolutions, the second of which reads {@link #BEHIND}. */
  private static TestGraph convolutions() {
    return convolutions(CHANNELS, SIDE);
  }

  private static TestGraph convolutions(long channels, long side) {
    return new TestGraph()
        .input("x", 1, CHANNELS, SIDE, SIDE)
        .output("y", 1, CHANNELS, side, side)
        .random("w1", 0.1, CHANNELS, CHANNELS, 3, 3)
        .random("w2", 0.1, CHANNELS, channels, 3, 3)
        .random("w3", 0.1, CHANNELS, CHANNELS, 3, 3)
        .node("Conv", List.of("x", "w1"), BEFORE, PADS, KERNEL);
  }

  private Written speed(TestGraph graph) {
    return run(graph.node("Conv", List.of(BEHIND, "w2"), "y", PADS, KERNEL), "speed", IMAGE);
  }

  private Written run(TestGraph graph, String optimize, TensorBatch batch) {
    Path quantized = save(graph, optimize, batch).artifacts().get(0).path();
    assertThat(Graphs.distance(quantized, folder.resolve("model.onnx"), batch)).isLessThan(0.05);
    try (OnnxFile file = OnnxFile.open(quantized)) {
      return new Written(file.load());
    }
  }

  private SavedModel save(TestGraph graph, String optimize, TensorBatch batch) {
    return Quantization.staticOf(
            module -> Plans.Wish.both(Dtype.INT8), CalibrationDataset.of(List.of(batch)))
        .with("optimize", optimize)
        .run(graph.write(folder), folder.resolve("quantized"));
  }

  /** A graph that was written. */
  private record Written(OnnxModel model) {

    List<Node> nodes(String operator) {
      return model.graph().nodes().stream().filter(node -> node.is(operator)).toList();
    }

    Node producer(String value) {
      return Objects.requireNonNull(model.graph().producer(value), value);
    }

    Node reader(String value) {
      List<Node> readers =
          model.graph().nodes().stream().filter(node -> node.inputs().contains(value)).toList();
      assertThat(readers).as(value).hasSize(1);
      return readers.get(0);
    }

    /** The only operator of a kind computes between pairs. */
    void assertInInt8(String operator, int inputs) {
      assertThat(nodes(operator)).hasSize(1);
      Node node = nodes(operator).get(0);
      for (int input = 0; input < inputs; input++) {
        assertThat(producer(node.input(input)).opType()).isEqualTo("DequantizeLinear");
      }
      assertThat(node.outputs())
          .allSatisfy(output -> assertThat(reader(output).opType()).isEqualTo("QuantizeLinear"));
    }

    float scale(String tensor) {
      return constant(quantizer(tensor).input(1)).order(ByteOrder.LITTLE_ENDIAN).getFloat(0);
    }

    int zeroPoint(String tensor) {
      return constant(quantizer(tensor).input(2)).get(0) & 0xff;
    }

    /** The quantizer of a tensor, which restored has its old name, or that of its new one. */
    private Node quantizer(String tensor) {
      Graph graph = model.graph();
      Node restored = graph.producer(tensor);
      if (restored != null && restored.is("DequantizeLinear")) {
        return producer(restored.input(0));
      }
      return reader(tensor);
    }

    private ByteBuffer constant(String name) {
      StoredTensor tensor = model.graph().constant(name).flatMap(Initializer::tensor).orElseThrow();
      return tensor.content().read(0, Math.toIntExact(tensor.content().bytes()));
    }
  }
}
