package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import java.util.HashMap;
import java.util.Map;

/**
 * Counts how often the values of a model are read.
 *
 * @since 0.1.0
 */
public final class ValueReaders {

  private ValueReaders() {}

  /** The number of inputs of nodes and outputs of graphs that read each value, inner ones too. */
  public static Map<Value, Integer> count(OnnxModel model) {
    Map<Value, Integer> readers = new HashMap<>();
    for (Graph graph : model.graph().all()) {
      for (Node node : graph.nodes()) {
        node.inputs().forEach(input -> add(graph, input, readers));
      }
      graph.outputs().forEach(output -> add(graph, output.getName(), readers));
    }
    return readers;
  }

  private static void add(Graph graph, String name, Map<Value, Integer> readers) {
    Value value = Value.read(graph, name);
    if (value != null) {
      readers.merge(value, 1, Integer::sum);
    }
  }
}
