package dev.kvant.backend.onnx;

import static dev.kvant.backend.onnx.TestGraph.attribute;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.backend.onnx.placement.Bounds;
import dev.kvant.backend.onnx.placement.Optimize;
import dev.kvant.backend.onnx.placement.Pair;
import dev.kvant.backend.onnx.placement.Placement;
import dev.kvant.backend.onnx.placement.Placer;
import dev.kvant.backend.onnx.placement.Product;
import dev.kvant.backend.onnx.placement.Scale;
import dev.kvant.backend.onnx.placement.Sizes;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.proto.AttributeProto;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("Operators between two int8 convolutions")
class KernelRulesTest {

  private static final long CHANNELS = 32;
  private static final long SIDE = 8;

  /** So small that calls of kernels are all that costs: what has an integer kernel uses it. */
  private static final Sizes SMALL = tensor -> 1;

  private static final Sizes LARGE = tensor -> 1e6;

  @TempDir private Path folder;

  /** What is between two convolutions: reads {@code before} and writes {@code behind}. */
  private record Between(String operator, UnaryOperator<TestGraph> add) {

    @Override
    public String toString() {
      return operator;
    }
  }

  private static Between between(String operator, UnaryOperator<TestGraph> add) {
    return new Between(operator, add);
  }

  static Stream<Between> movers() {
    return Stream.of(
        between(
            "MaxPool",
            graph -> unary(graph, "MaxPool", attribute("kernel_shape", List.of(2L, 2L)))),
        between(
            "Transpose",
            graph -> unary(graph, "Transpose", attribute("perm", List.of(0L, 1L, 3L, 2L)))),
        between("Reshape", graph -> withConstant(graph, "Reshape", 1, CHANNELS, SIDE, SIDE)),
        between("Flatten", graph -> unary(graph, "Flatten")),
        between("Squeeze", graph -> withConstant(graph, "Squeeze", 0)),
        between("Unsqueeze", graph -> withConstant(graph, "Unsqueeze", 0)),
        between("Expand", graph -> withConstant(graph, "Expand", 2, 1, 1, 1)),
        between("Tile", graph -> withConstant(graph, "Tile", 1, 1, 2, 2)),
        between("Gather", graph -> withConstant(graph, "Gather", 0)),
        between(
            "Slice",
            graph ->
                graph
                    .integers("from", 0)
                    .integers("to", 4)
                    .integers("axes", 2)
                    .node("Slice", List.of("before", "from", "to", "axes"), "behind")),
        between(
            "Split",
            graph ->
                graph
                    .integers("parts", 16, 16)
                    .node(
                        "Split",
                        "split",
                        List.of("before", "parts"),
                        List.of("behind", "unused"),
                        attribute("axis", 1))),
        between("DepthToSpace", graph -> unary(graph, "DepthToSpace", attribute("blocksize", 2))),
        between("Resize", graph -> resize(graph, "nearest")));
  }

  private static TestGraph unary(TestGraph graph, String operator, AttributeProto... attributes) {
    return graph.node(operator, List.of("before"), "behind", attributes);
  }

  private static TestGraph withConstant(TestGraph graph, String operator, long... values) {
    return graph
        .integers("constant", values)
        .node(operator, List.of("before", "constant"), "behind");
  }

  private static TestGraph resize(TestGraph graph, String mode) {
    return graph
        .floats("scales", List.of(4L), 1, 1, 2, 2)
        .node("Resize", List.of("before", "", "scales"), "behind", attribute("mode", mode));
  }

  @ParameterizedTest
  @MethodSource("movers")
  void that_only_move_values_move_codes_with_one_scale(Between between) {
    Placed placed = place(between, SMALL);

    assertThat(placed.inInt8(between.operator())).isTrue();
    assertThat(placed.scale("behind")).isEqualTo(placed.scale("before"));
    assertThat(placed.scale("behind").tensors()).containsExactly("before");
  }

  static Stream<Between> closed() {
    return Stream.of(
        between(
            "AveragePool",
            graph -> unary(graph, "AveragePool", attribute("kernel_shape", List.of(2L, 2L)))),
        between("GlobalAveragePool", graph -> unary(graph, "GlobalAveragePool")),
        between("LeakyRelu", graph -> unary(graph, "LeakyRelu", attribute("alpha", 0.1f))),
        between("Sigmoid", graph -> unary(graph, "Sigmoid")),
        between("Softmax", graph -> unary(graph, "Softmax")));
  }

  @ParameterizedTest
  @MethodSource("closed")
  void that_compute_have_a_scale_of_their_own(Between between) {
    Placed placed = place(between, SMALL);

    assertThat(placed.inInt8(between.operator())).isTrue();
    boolean isProbability = List.of("Sigmoid", "Softmax").contains(between.operator());
    assertThat(placed.scale("behind"))
        .isEqualTo(
            new Scale(
                List.of("behind"), isProbability ? new Bounds(0, 1) : Bounds.NONE, isProbability));
  }

  static Stream<Between> silu() {
    return Stream.of(
        between(
            "Mul",
            graph ->
                graph
                    .node("Sigmoid", List.of("before"), "gate")
                    .node("Mul", List.of("before", "gate"), "behind")));
  }

  @ParameterizedTest
  @MethodSource("silu")
  void that_are_a_silu_compute_its_sigmoid_and_its_product(Between between) {
    Placed placed = place(between, SMALL);

    assertThat(placed.inInt8("Sigmoid")).isTrue();
    assertThat(placed.inInt8("Mul")).isTrue();
    assertThat(placed.scale("gate").isWhole()).isTrue();
    assertThat(placed.scale("behind")).isNotEqualTo(placed.scale("before"));
  }

  static Stream<Between> floats() {
    return Stream.of(
        between("Resize", graph -> resize(graph, "linear")),
        between("Pad", graph -> withConstant(graph, "Pad", 0, 0, 1, 1, 0, 0, 1, 1)),
        between("HardSigmoid", graph -> unary(graph, "HardSigmoid")),
        between("HardSwish", graph -> unary(graph, "HardSwish")),
        between("Tanh", graph -> unary(graph, "Tanh")));
  }

  @ParameterizedTest
  @MethodSource("floats")
  void without_an_integer_kernel_stay_float(Between between) {
    Placed placed = place(between, SMALL);

    assertThat(placed.inInt8(between.operator())).isFalse();
    assertThat(placed.inInt8("Conv")).isTrue();
  }

  static Stream<Between> slower() {
    return Stream.concat(
        movers().filter(each -> each.operator().equals("Resize")),
        closed().filter(each -> List.of("AveragePool", "Softmax").contains(each.operator())));
  }

  @ParameterizedTest
  @MethodSource("slower")
  void whose_integer_kernel_is_slow_stay_float_where_tensors_are_large(Between between) {
    assertThat(place(between, LARGE).inInt8(between.operator())).isFalse();
  }

  private Placed place(Between between, Sizes sizes) {
    Path file =
        between
            .add()
            .apply(
                new TestGraph()
                    .input("x", 1, CHANNELS, SIDE, SIDE)
                    .output("y", 1, CHANNELS, SIDE, SIDE)
                    .random("w1", CHANNELS, CHANNELS, 3, 3)
                    .random("w2", CHANNELS, CHANNELS, 3, 3)
                    .node("Conv", List.of("x", "w1"), "before"))
            .node("Conv", List.of("behind", "w2"), "y")
            .write(folder);
    try (OnnxFile open = OnnxFile.open(file)) {
      Graph graph = open.load().graph();
      Map<Node, Product> products = new HashMap<>();
      graph.nodes().stream()
          .filter(node -> node.is("Conv"))
          .forEach(
              node ->
                  products.put(
                      node,
                      new Product(
                          0,
                          graph
                              .constant(node.input(1))
                              .flatMap(Initializer::tensor)
                              .orElseThrow()
                              .dims(),
                          0,
                          true)));
      return new Placed(new Placer(graph, products, node -> true).place(Optimize.SPEED, sizes));
    }
  }

  /** Where a graph was placed. */
  private record Placed(Placement placement) {

    boolean inInt8(String operator) {
      return placement.integers().stream().anyMatch(node -> node.is(operator));
    }

    Scale scale(String tensor) {
      return placement.pairs().stream()
          .filter(pair -> pair.tensor().equals(tensor))
          .map(Pair::scale)
          .findFirst()
          .orElseThrow();
    }
  }
}
