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

  private record Value(Graph home, String name) {}

  private final Set<Node> found = new HashSet<>();
  private final Set<Value> seen = new HashSet<>();
  private final Deque<Value> open = new ArrayDeque<>();

  private Choosing() {}

  /**
   * The nodes between products and the inputs that choose, without either end: those of a graph and
   * of the bodies in it, whichever of these graphs chooses.
   */
  static Set<Node> of(Graph graph) {
    Choosing choosing = new Choosing();
    for (Graph each : graph.all()) {
      for (Node node : each.nodes()) {
        if (node.domain().isEmpty()) {
          INPUTS
              .getOrDefault(node.opType(), List.of())
              .forEach(i -> choosing.add(each, node.input(i)));
        }
      }
    }
    while (!choosing.open.isEmpty()) {
      choosing.follow(choosing.open.remove());
    }
    return choosing.found;
  }

  private void add(Graph reader, String name) {
    Graph home = reader.home(name);
    Value value = home == null ? null : new Value(home, name);
    if (value != null && !name.isEmpty() && seen.add(value)) {
      open.add(value);
    }
  }

  private void follow(Value value) {
    Node producer = value.home().producer(value.name());
    if (producer == null) {
      intoBody(value);
    } else if (!PRODUCTS.contains(producer.opType())) {
      found.add(producer);
      producer.inputs().forEach(input -> add(value.home(), input));
      for (Graph body : producer.subgraphs().values()) {
        body.outputs().forEach(output -> add(body, output.getName()));
      }
    }
  }

  /**
   * What comes into the body of a Loop or Scan is what its owner reads at the same position, and
   * what the body gave the turn before.
   */
  private void intoBody(Value value) {
    Graph body = value.home();
    Node owner = body.owner();
    Graph around = body.parent();
    if (owner == null || around == null) {
      return;
    }
    for (int i = 0; i < body.inputs().size(); i++) {
      if (body.inputs().get(i).getName().equals(value.name())) {
        add(around, owner.input(i));
        int before = owner.is("Loop") ? i - 1 : i;
        if (before >= 0 && i < states(owner, body) && before < body.outputs().size()) {
          add(body, body.outputs().get(before).getName());
        }
      }
    }
  }

  /** How many of the first inputs of a body are not elements of what its owner scans. */
  private static int states(Node owner, Graph body) {
    return body.inputs().size() - (int) owner.intAttribute("num_scan_inputs", 0);
  }
}
