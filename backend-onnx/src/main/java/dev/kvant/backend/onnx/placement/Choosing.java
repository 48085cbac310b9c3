package dev.kvant.backend.onnx.placement;

import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds the operators that compute scores and coordinates by which other values are chosen: the
 * boxes and scores of NonMaxSuppression, what TopK and ArgMax compare, and the positions at which
 * GridSample, RoiAlign and DeformConv read. A small error there does not change a value a little:
 * it chooses another one. Such coordinates have ranges as large as an image, of which 256 codes
 * tell few positions apart.
 */
final class Choosing {

  /** By operator, the inputs that choose. */
  private static final Map<String, List<Integer>> INPUTS =
      Map.of(
          "ArgMax", List.of(0),
          "ArgMin", List.of(0),
          "DeformConv", List.of(2, 4),
          "GridSample", List.of(1),
          "MaxRoiPool", List.of(1),
          "NonMaxSuppression", List.of(0, 1),
          "RoiAlign", List.of(1),
          "TopK", List.of(0));

  /** What computes scores and offsets from features, which choose nothing yet. */
  private static final Set<String> PRODUCTS =
      Set.of("Conv", "ConvTranspose", "Einsum", "Gemm", "MatMul");

  private Choosing() {}

  /** The nodes of a graph between products and the inputs that choose, without either end. */
  static Set<Node> of(Graph graph) {
    Set<Node> found = new HashSet<>();
    Deque<String> values = new ArrayDeque<>();
    for (Node node : graph.nodes()) {
      if (node.domain().isEmpty()) {
        INPUTS.getOrDefault(node.opType(), List.of()).forEach(i -> values.add(node.input(i)));
      }
    }
    while (!values.isEmpty()) {
      String value = values.remove();
      Node producer = value.isEmpty() ? null : graph.producer(value);
      if (producer != null && !PRODUCTS.contains(producer.opType()) && found.add(producer)) {
        values.addAll(producer.inputs());
      }
    }
    return found;
  }
}
