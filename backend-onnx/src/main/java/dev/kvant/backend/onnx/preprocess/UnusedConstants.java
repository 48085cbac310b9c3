package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Removes the constants that nothing reads any more, such as weights that were replaced.
 *
 * @since 0.1.0
 */
public final class UnusedConstants {

  private UnusedConstants() {}

  public static void remove(OnnxModel model) {
    Set<String> used = new HashSet<>();
    for (Graph graph : model.graph().all()) {
      graph.nodes().forEach(node -> used.addAll(node.inputs()));
      graph.outputs().forEach(output -> used.add(output.getName()));
    }
    for (Graph graph : model.graph().all()) {
      Set<String> removed = new HashSet<>(graph.initializers().keySet());
      removed.removeAll(used);
      graph.initializers().keySet().removeAll(removed);
      // Old files list initializers among the inputs.
      graph.inputs().removeIf(input -> removed.contains(input.getName()));
      List<Node> constants =
          graph.nodes().stream()
              .filter(node -> node.is("Constant") && !used.contains(node.outputs().get(0)))
              .toList();
      constants.forEach(graph::removeNode);
    }
  }
}
