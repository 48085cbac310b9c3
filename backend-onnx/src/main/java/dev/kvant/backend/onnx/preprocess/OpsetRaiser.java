package dev.kvant.backend.onnx.preprocess;

import dev.kvant.api.UnsupportedModelException;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Raises a model to a later version of the standard operators, from 11 to 19 at most. Operators
 * whose inputs or meaning changed on the way are rewritten, in inner graphs too; most only learned
 * further types.
 *
 * @since 0.1.0
 */
public final class OpsetRaiser {

  /** The first version with scales per channel. */
  public static final long PER_CHANNEL = 13;

  /** The first version with float8, and with scales that are not float32. */
  public static final long FLOAT8 = 19;

  /** The format's version that came with a version of the operators. */
  private static final Map<Long, Long> IR_VERSIONS = Map.of(PER_CHANNEL, 7L, FLOAT8, 9L);

  private static final Set<String> REDUCTIONS =
      Set.of(
          "ReduceL1",
          "ReduceL2",
          "ReduceLogSum",
          "ReduceLogSumExp",
          "ReduceMax",
          "ReduceMean",
          "ReduceMin",
          "ReduceProd",
          "ReduceSumSquare");

  private final OnnxModel model;
  private final long from;
  private final long to;

  private OpsetRaiser(OnnxModel model, long from, long to) {
    this.model = model;
    this.from = from;
    this.to = to;
  }

  /**
   * Raises a model if it is older.
   *
   * @throws UnsupportedModelException if an operator of it has no counterpart
   */
  public static void raise(OnnxModel model, long to) {
    long from = model.opset("").orElseThrow();
    if (from >= to) {
      return;
    }
    if (!model.functionNames().isEmpty()) {
      throw new UnsupportedModelException(
          "%s is of opset %d and must be raised to %d, but has functions of its own (%s), which are"
                  .formatted(model.source(), from, to, String.join(", ", model.functionNames()))
              + " left alone; export it anew with opset %d or later".formatted(to));
    }
    OpsetRaiser raiser = new OpsetRaiser(model, from, to);
    for (Graph graph : model.graph().all()) {
      for (Node node : List.copyOf(graph.nodes())) {
        if (node.domain().isEmpty()) {
          raiser.raise(graph, node);
        }
      }
    }
    model.setOpset("", to);
    model.requireIrVersion(IR_VERSIONS.getOrDefault(to, 0L));
  }

  private boolean crosses(long version) {
    return from < version && version <= to;
  }

  private void raise(Graph graph, Node node) {
    switch (node.opType()) {
      case "Dropout" -> {
        if (crosses(12)) {
          // Without training the ratio has no effect.
          node.removeAttribute("ratio");
        }
      }
      case "Squeeze", "Unsqueeze", "ReduceSum" -> {
        if (crosses(13)) {
          attributeToInput(graph, node, "axes");
        }
      }
      case "Split" -> raiseSplit(graph, node);
      case "Softmax", "LogSoftmax", "Hardmax" -> {
        if (crosses(13)) {
          raiseSoftmax(graph, node);
        }
      }
      case "Resize" -> {
        if (crosses(13)
            && node.stringAttribute("coordinate_transformation_mode", "")
                .equals("tf_half_pixel_for_nn")) {
          throw impossible(node, "its tf_half_pixel_for_nn was removed");
        }
      }
      case "Upsample", "Scatter" -> throw impossible(node, "it was removed");
      case "BatchNormalization" -> {
        if (crosses(14) && node.outputs().size() > 1) {
          throw impossible(node, "it has the outputs of training, which became others");
        }
      }
      case "RoiAlign" -> {
        if (crosses(16) && !node.hasAttribute("coordinate_transformation_mode")) {
          node.with("coordinate_transformation_mode", "output_half_pixel");
        }
      }
      default -> {
        if (crosses(18) && REDUCTIONS.contains(node.opType())) {
          attributeToInput(graph, node, "axes");
        }
      }
    }
  }

  private UnsupportedModelException impossible(Node node, String why) {
    return impossible(model, from, to, node, why);
  }

  /** The error for an operator without a counterpart. */
  static UnsupportedModelException impossible(
      OnnxModel model, long from, long to, Node node, String why) {
    return new UnsupportedModelException(
        "%s cannot be raised from opset %d to %d: %s: %s; export the model anew with opset %d"
            .formatted(model.source(), from, to, node, why, to));
  }

  private void raiseSplit(Graph graph, Node node) {
    if (crosses(13)) {
      attributeToInput(graph, node, "split");
    }
    if (crosses(18) && node.input(1).isEmpty()) {
      node.with("num_outputs", node.outputs().size());
    }
  }

  private void attributeToInput(Graph graph, Node node, String attribute) {
    attributeToInput(model, graph, node, attribute);
  }

  /** Makes a list of integers an input, behind those that are there; does nothing without it. */
  static void attributeToInput(OnnxModel model, Graph graph, Node node, String attribute) {
    if (!node.hasAttribute(attribute)) {
      return;
    }
    long[] values = node.intsAttribute(attribute).stream().mapToLong(Long::longValue).toArray();
    String name = model.freshName(node.outputs().get(0) + "_" + attribute);
    graph
        .initializers()
        .put(
            name,
            Initializer.of(StoredTensor.ofLongs(name, List.of((long) values.length), values)));
    node.removeAttribute(attribute);
    node.inputs().add(name);
  }

  /** Before 13, all dimensions from the axis on were one; now each is for itself. */
  private void raiseSoftmax(Graph graph, Node node) {
    long axis = node.intAttribute("axis", 1);
    node.with("axis", -1);
    if (axis == -1) {
      return;
    }
    String input = node.input(0);
    String output = node.outputs().get(0);
    String shape = model.freshName(output + "_shape");
    String flat = model.freshName(output + "_flat_input");
    String result = model.freshName(output + "_flat_output");
    int index = graph.nodes().indexOf(node);
    node.inputs().set(0, flat);
    node.outputs().set(0, result);
    graph
        .nodes()
        .addAll(
            index,
            List.of(
                Node.create(
                    model.freshName(output + "_Shape"), "Shape", List.of(input), List.of(shape)),
                Node.create(
                        model.freshName(output + "_Flatten"),
                        "Flatten",
                        List.of(input),
                        List.of(flat))
                    .with("axis", axis)));
    graph
        .nodes()
        .add(
            graph.nodes().indexOf(node) + 1,
            Node.create(
                model.freshName(output + "_Reshape"),
                "Reshape",
                List.of(result, shape),
                List.of(output)));
  }
}
