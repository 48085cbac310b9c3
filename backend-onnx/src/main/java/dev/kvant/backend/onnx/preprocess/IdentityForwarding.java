package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Has nodes that read copies of a value read the value itself. Exporters write an {@code Identity}
 * for each further name of a tensor that modules share, and for values as they please; a {@code
 * Dropout} that is not trained is one, too.
 */
final class IdentityForwarding {

  private IdentityForwarding() {}

  /** Removes all copies of constants that others read as well, and of all that is no constant. */
  static void apply(OnnxModel model) {
    List<Graph> graphs = model.graph().all();
    boolean hasCopy =
        graphs.stream()
            .flatMap(graph -> graph.nodes().stream())
            .anyMatch(IdentityForwarding::isCopy);
    if (!hasCopy) {
      return;
    }
    Map<Value, Integer> readers = ValueReaders.count(model);
    Map<Value, String> originals = new HashMap<>();
    Map<Graph, Set<Node>> copies = new HashMap<>();
    Set<Value> outputs = new HashSet<>();
    for (Graph graph : graphs) {
      graph.outputs().forEach(output -> addRead(graph, output.getName(), outputs));
    }
    for (Graph graph : graphs) {
      for (Node node : graph.nodes()) {
        String original = original(graph, node, readers, originals);
        Value copy =
            new Value(graph.place(), node.outputs().isEmpty() ? "" : node.outputs().get(0));
        if (original != null && !outputs.contains(copy)) {
          originals.put(copy, original);
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

  /** The value that a node copies, or null. */
  private static @Nullable String original(
      Graph graph, Node node, Map<Value, Integer> readers, Map<Value, String> originals) {
    if (!isCopy(node)) {
      return null;
    }
    Value input = Value.read(graph, node.input(0));
    String forwarded = input == null ? null : originals.get(input);
    if (forwarded != null) {
      return forwarded;
    }
    if (input == null) {
      return null;
    }
    Optional<Initializer> constant = graph.constant(node.input(0));
    boolean isForwarded =
        constant.isEmpty()
            || (readers.getOrDefault(input, 0) > 1
                && constant.flatMap(Initializer::tensor).isPresent());
    return isForwarded ? node.input(0) : null;
  }

  private static boolean isCopy(Node node) {
    return (node.is("Identity") || (node.is("Dropout") && node.input(2).isEmpty()))
        && node.outputs().size() == 1;
  }

  private static void addRead(Graph graph, String name, Set<Value> values) {
    Value value = Value.read(graph, name);
    if (value != null) {
      values.add(value);
    }
  }
}
