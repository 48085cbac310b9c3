package dev.kvant.backend.onnx.calibration;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Brings values out of the bodies of {@code If}, {@code Loop} and {@code Scan}, so that they can be
 * observed: as one list of numbers, empty where the body did not run.
 */
final class InnerValues {

  private final OnnxModel model;

  InnerValues(OnnxModel model) {
    this.model = model;
  }

  /**
   * Makes a value available in the model's own graph.
   *
   * @return its name there, the value's own if that is where it is; empty if an operator is in the
   *     way whose bodies cannot be extended
   */
  Optional<String> bringOut(Graph graph, String value, DataType type) {
    Node owner = graph.owner();
    Graph parent = graph.parent();
    if (owner == null || parent == null) {
      return Optional.of(value);
    }
    String flat = flatten(graph, value);
    String outer = model.freshName(value + "_observed");
    switch (owner.opType()) {
      case "If" -> {
        for (Graph branch : owner.subgraphs().values()) {
          branch.addOutput(branch == graph ? flat : addEmpty(branch, value, type), type);
        }
        owner.outputs().add(outer);
      }
      case "Loop" -> {
        String carried = model.freshName(value + "_seen");
        String extended = model.freshName(value + "_seen_with");
        int variables = owner.inputs().size() - 2;
        graph
            .nodes()
            .add(
                Node.create(
                        model.freshName(value + "_Concat"),
                        "Concat",
                        List.of(carried, flat),
                        List.of(extended))
                    .with("axis", 0));
        graph.addInput(carried, type);
        graph.addOutput(1 + variables, extended, type);
        owner.inputs().add(addEmpty(parent, value, type));
        owner.outputs().add(variables, outer);
      }
      case "Scan" -> {
        graph.addOutput(flat, type);
        owner.append("scan_output_axes", 0);
        owner.append("scan_output_directions", 0);
        owner.outputs().add(outer);
      }
      default -> {
        return Optional.empty();
      }
    }
    return bringOut(parent, outer, type);
  }

  private String flatten(Graph graph, String value) {
    String shape = model.freshName(value + "_flat_shape");
    graph.initializers().put(shape, Initializer.of(StoredTensor.ofLongs(shape, List.of(1L), -1)));
    String flat = model.freshName(value + "_flat");
    graph.insertAfter(
        value,
        List.of(
            Node.create(
                model.freshName(value + "_Reshape"),
                "Reshape",
                List.of(value, shape),
                List.of(flat))));
    return flat;
  }

  private String addEmpty(Graph graph, String value, DataType type) {
    String empty = model.freshName(value + "_nothing");
    graph
        .initializers()
        .put(
            empty,
            Initializer.of(StoredTensor.of(empty, type, List.of(0L), ByteBuffer.allocate(0))));
    return empty;
  }
}
