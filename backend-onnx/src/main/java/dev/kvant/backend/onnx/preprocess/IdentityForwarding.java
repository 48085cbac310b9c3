package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Has nodes that read copies of a constant read the constant itself. Exporters write an {@code
 * Identity} for each further name of a tensor that modules share.
 */
final class IdentityForwarding {

  private IdentityForwarding() {}

  /** Removes all copies of constants that others read as well. */
  static void apply(OnnxModel model) {
    List<Graph> graphs = model.graph().all();
    Map<Value, Integer> readers = ValueReaders.count(model);
    Map<Value, String> originals = new HashMap<>();
    Map<Graph, Set<Node>> copies = new HashMap<>();
    for (Graph graph : graphs) {
      for (Node node : graph.nodes()) {
        String original = original(graph, node, readers, originals);
        if (original != null && !isOutput(graph, node.outputs().get(0))) {
          originals.put(new Value(graph.place(), node.outputs().get(0)), original);
          copies.computeIfAbsent(graph, key -> new HashSet<>()).add(node);
        }
      }
    }
    if (originals.isEmpty()) {
      return;
    }
    for (Graph graph : graphs) {
      for (Node node : graph.nodes()) {
        for (int i = 0; i < node.inputs().size(); i++) {
          Value value = Value.read(graph, node.input(i));
          String original = value == null ? null : originals.get(value);
          if (original != null) {
            node.inputs().set(i, original);
          }
        }
      }
    }
    copies.forEach(Graph::removeNodes);
  }

  /** The constant that a node copies, or null. */
  private static @Nullable String original(
      Graph graph, Node node, Map<Value, Integer> readers, Map<Value, String> originals) {
    if (!node.is("Identity") || node.outputs().size() != 1) {
      return null;
    }
    Value input = Value.read(graph, node.input(0));
    String forwarded = input == null ? null : originals.get(input);
    if (forwarded != null) {
      return forwarded;
    }
    boolean isShared =
        input != null
            && readers.getOrDefault(input, 0) > 1
            && graph.constant(node.input(0)).flatMap(Initializer::tensor).isPresent();
    return isShared ? node.input(0) : null;
  }

  private static boolean isOutput(Graph graph, String name) {
    return graph.outputs().stream().anyMatch(output -> output.getName().equals(name));
  }
}
