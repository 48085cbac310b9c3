package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.StoredTensor;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The values of a model that were computed from constants alone.
 *
 * @param tensors those that were kept
 * @param computed all of them
 * @param expanded those that depend on a node that makes much out of little
 */
record ComputedConstants(
    Map<Value, StoredTensor> tensors, Set<Value> computed, Set<Value> expanded) {

  /** Whether nothing was computed. */
  boolean isEmpty() {
    return computed.isEmpty();
  }

  /** Whether a node was computed. */
  boolean isComputed(Graph graph, Node node) {
    String first = node.outputs().isEmpty() ? "" : node.outputs().get(0);
    return computed.contains(new Value(graph.place(), first));
  }

  /** Whether a node that was computed depends on one that makes much out of little. */
  boolean isExpanded(Graph graph, Node node) {
    return expanded.contains(new Value(graph.place(), node.outputs().get(0)));
  }

  /** What was computed, as far as it was kept. */
  Optional<StoredTensor> tensor(Value value) {
    return Optional.ofNullable(tensors.get(value));
  }
}
