package dev.kvant.backend.onnx.placement;

import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Reads a graph as the operators that placement chooses among. */
final class Operators {

  /** Operators whose kernels write what a Relu or Clip behind them would, for the range's sake. */
  private static final Set<String> FOLDING = Set.of("Conv", "Add", "Mul");

  private final Graph graph;
  private final Map<Node, Product> products;
  private final Predicate<Node> isAllowed;
  private final FloatValues floats;
  private final Map<String, List<Node>> readers = new HashMap<>();
  private final Set<String> results = new HashSet<>();

  private Operators(
      Graph graph, Map<Node, Product> products, FloatValues floats, Predicate<Node> isAllowed) {
    this.graph = graph;
    this.products = products;
    this.isAllowed = isAllowed;
    this.floats = floats;
    for (Node node : graph.nodes()) {
      reads(node)
          .forEach(name -> readers.computeIfAbsent(name, key -> new ArrayList<>()).add(node));
    }
    graph.outputs().forEach(output -> results.add(output.getName()));
  }

  /**
   * The operators of a graph in its order.
   *
   * @param products what is planned for products with constants
   * @param floats which values are floats
   * @param isAllowed whether the plan lets a node without weights compute in integers
   */
  static List<Operator> of(
      Graph graph, Map<Node, Product> products, FloatValues floats, Predicate<Node> isAllowed) {
    return new Operators(graph, products, floats, isAllowed).read();
  }

  private List<Operator> read() {
    List<Operator> operators = new ArrayList<>();
    Set<Node> folded = new HashSet<>();
    for (Node node : graph.nodes()) {
      if (node.is("Constant") || folded.contains(node)) {
        continue;
      }
      Operator operator = read(node);
      if (operator.folded() != null) {
        folded.add(operator.folded());
      }
      operators.add(operator);
    }
    return operators;
  }

  private Operator read(Node node) {
    Product product = products.get(node);
    CpuKernels.Entry entry =
        product != null || isAllowed.test(node)
            ? CpuKernels.of(graph, floats, node, product).orElse(null)
            : null;
    long weights = product == null ? 0 : product.weights();
    if (entry == null) {
      return new Operator(
          node,
          Kernel.NONE,
          Reach.PRODUCTS,
          node.opType(),
          reads(node).stream()
              .map(name -> new Reader(node, node.inputs().indexOf(name), name))
              .toList(),
          node.outputs().isEmpty() ? "" : node.outputs().get(0),
          node.outputs().stream().skip(1).toList(),
          0,
          weights,
          null);
    }
    Node activation = FOLDING.contains(node.opType()) ? foldable(node.outputs().get(0)) : null;
    return new Operator(
        node,
        entry.kernel(),
        entry.reach(),
        entry.cost(),
        CpuKernels.codes(node, product).stream()
            .map(input -> new Reader(node, input, node.input(input)))
            .toList(),
        (activation == null ? node : activation).outputs().get(0),
        node.outputs().stream().skip(1).toList(),
        entry.work(),
        weights,
        activation);
  }

  /** What a node reads that is not constant, in inner graphs too. */
  private Set<String> reads(Node node) {
    Set<String> names = new LinkedHashSet<>();
    collect(node, names);
    names.removeIf(name -> name.isEmpty() || graph.constant(name).isPresent());
    return names;
  }

  private static void collect(Node node, Set<String> names) {
    names.addAll(node.inputs());
    for (Graph inner : node.subgraphs().values()) {
      inner.nodes().forEach(each -> collect(each, names));
      inner.outputs().forEach(output -> names.add(output.getName()));
    }
  }

  /** The Relu or Clip that alone reads a value and that a range of codes can stand for, or null. */
  private @Nullable Node foldable(String value) {
    List<Node> reading = readers.getOrDefault(value, List.of());
    if (reading.size() != 1 || results.contains(value)) {
      return null;
    }
    Node only = reading.get(0);
    return isAllowed.test(only) && only.input(0).equals(value) && Bounds.of(graph, only).isPresent()
        ? only
        : null;
  }
}
