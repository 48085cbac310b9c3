package dev.kvant.backend.onnx.placement;

import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The operators for which ONNX Runtime has integer kernels of its processor, or moves codes instead
 * of floats, once they are between DequantizeLinear and QuantizeLinear. Source: the selectors of
 * its QDQ transformer, {@code qdq_selector_action_transformer.cc}, versions 1.23 to 1.32. There is
 * none for Pad, HardSigmoid, HardSwish, Tanh, Gelu, Sub, Div, Min and Max: these stay float.
 */
final class CpuKernels {

  /** What a kernel is like: how it treats tensors, from where on regions include it, its cost. */
  record Entry(Kernel kernel, Reach reach, String cost, double work) {

    Entry(Kernel kernel, Reach reach, String cost) {
      this(kernel, reach, cost, 0);
    }
  }

  private static final int BIAS = 2;

  /** From few input channels kernels make little; such as a picture has. */
  private static final int FEW_CHANNELS = 4;

  /** How many products attention sums up for an element: the width of a head, usually. */
  private static final int HEAD = 64;

  private static final Map<String, Entry> UNARY =
      Map.ofEntries(
          entry("MaxPool", Kernel.MOVER, Reach.MOVES),
          entry("Reshape", Kernel.MOVER, Reach.MOVES),
          entry("Transpose", Kernel.MOVER, Reach.MOVES),
          entry("Squeeze", Kernel.MOVER, Reach.MOVES),
          entry("Unsqueeze", Kernel.MOVER, Reach.MOVES),
          entry("Flatten", Kernel.MOVER, Reach.MOVES),
          entry("Slice", Kernel.MOVER, Reach.MOVES),
          entry("Gather", Kernel.MOVER, Reach.MOVES),
          entry("Split", Kernel.MOVER, Reach.MOVES),
          entry("Resize", Kernel.MOVER, Reach.MOVES),
          entry("DepthToSpace", Kernel.MOVER, Reach.MOVES),
          entry("Expand", Kernel.MOVER, Reach.MOVES),
          entry("Tile", Kernel.MOVER, Reach.MOVES),
          entry("AveragePool", Kernel.CLOSED, Reach.SUMS),
          entry("GlobalAveragePool", Kernel.CLOSED, Reach.SUMS),
          entry("Sigmoid", Kernel.CLOSED, Reach.FUNCTIONS),
          entry("LeakyRelu", Kernel.CLOSED, Reach.FUNCTIONS),
          entry("Softmax", Kernel.CLOSED, Reach.FUNCTIONS));

  private static final Map<String, Entry> BINARY =
      Map.ofEntries(
          entry("Add", Kernel.CLOSED, Reach.SUMS), entry("Mul", Kernel.CLOSED, Reach.FUNCTIONS));

  private static final Entry CONCAT = new Entry(Kernel.JOIN, Reach.MOVES, "Concat");

  private static final Entry ATTENTION =
      new Entry(Kernel.OPEN, Reach.FUNCTIONS, "MatMul.activations", HEAD);

  private CpuKernels() {}

  /** Whether there is a kernel for operators of a type without weights, given the right inputs. */
  static boolean takes(String operator) {
    return UNARY.containsKey(operator)
        || BINARY.containsKey(operator)
        || operator.equals("Concat")
        || operator.equals("MatMul");
  }

  private static Map.Entry<String, Entry> entry(String operator, Kernel kernel, Reach reach) {
    return Map.entry(operator, new Entry(kernel, reach, operator));
  }

  /**
   * The kernel of a node.
   *
   * @param product the node as a product with a constant, or null if it is none
   * @return empty if it has none
   */
  static Optional<Entry> of(Graph graph, FloatValues floats, Node node, @Nullable Product product) {
    if (!node.domain().isEmpty() || !node.subgraphs().isEmpty()) {
      return Optional.empty();
    }
    if (product != null) {
      return product.isInteger() ? ofProduct(graph, node, product) : Optional.empty();
    }
    if (node.is("Concat")) {
      return node.inputs().stream().allMatch(floats::contains)
          ? Optional.of(CONCAT)
          : Optional.empty();
    }
    if (node.is("MatMul")) {
      return floats.contains(node.input(0)) && floats.contains(node.input(1))
          ? Optional.of(ATTENTION)
          : Optional.empty();
    }
    Entry binary = BINARY.get(node.opType());
    if (binary != null) {
      return floats.contains(node.input(0)) && floats.contains(node.input(1))
          ? Optional.of(binary)
          : Optional.empty();
    }
    Entry unary = UNARY.get(node.opType());
    boolean hasIndices = node.is("MaxPool") && node.outputs().size() > 1;
    // The codes of other modes would be interpolated, for which there is no kernel.
    boolean interpolates =
        node.is("Resize") && !node.stringAttribute("mode", "nearest").equals("nearest");
    return unary != null && floats.contains(node.input(0)) && !hasIndices && !interpolates
        ? Optional.of(unary)
        : Optional.empty();
  }

  /** Which inputs of a node with a kernel are read as codes. */
  static List<Integer> codes(Node node, @Nullable Product product) {
    if (product != null) {
      return List.of(product.input());
    }
    if (node.is("Concat")) {
      return IntStream.range(0, node.inputs().size()).boxed().toList();
    }
    return node.is("MatMul") || BINARY.containsKey(node.opType()) ? List.of(0, 1) : List.of(0);
  }

  private static Optional<Entry> ofProduct(Graph graph, Node node, Product product) {
    boolean isRight = product.input() == 0;
    return switch (node.opType()) {
      case "Conv" -> hasVectorAsBias(graph, node) ? Optional.of(ofConvolution(product)) : none();
      case "Gemm" ->
          isRight
                  && node.intAttribute("transA", 0) == 0
                  && node.floatAttribute("beta", 1) == 1
                  && hasVectorAsBias(graph, node)
              ? Optional.of(ofMatrix(product))
              : none();
      case "MatMul" ->
          isRight && product.weight().size() == 2 ? Optional.of(ofMatrix(product)) : none();
      // A table of codes is looked up as it is, and transposed convolutions compute in float.
      default -> none();
    };
  }

  private static Optional<Entry> none() {
    return Optional.empty();
  }

  private static Entry ofMatrix(Product product) {
    return new Entry(Kernel.OPEN, Reach.PRODUCTS, "MatMul", product.terms());
  }

  private static Entry ofConvolution(Product product) {
    long channels = product.weight().get(1);
    boolean isPointwise = product.weight().stream().skip(2).allMatch(size -> size == 1);
    String cost =
        channels == 1
            ? "Conv.depthwise"
            : isPointwise ? "Conv.pointwise" : channels <= FEW_CHANNELS ? "Conv.few" : "Conv";
    return new Entry(Kernel.CLOSED, Reach.PRODUCTS, cost, product.terms());
  }

  /** A bias becomes int32; that of another shape would keep the product in float. */
  private static boolean hasVectorAsBias(Graph graph, Node node) {
    String bias = node.input(BIAS);
    return bias.isEmpty()
        || graph
            .constant(bias)
            .flatMap(Initializer::tensor)
            .filter(tensor -> tensor.dims().size() == 1)
            .isPresent();
  }
}
