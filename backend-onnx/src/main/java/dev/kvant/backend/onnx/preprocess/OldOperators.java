package dev.kvant.backend.onnx.preprocess;

import dev.kvant.api.UnsupportedModelException;
import dev.kvant.numerics.Float16;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Raises models of opsets 7 to 10 to 11, the oldest that all else here reads.
 *
 * <p>Attributes of Slice, TopK, Clip, Pad and Upsample become inputs. Upsample and Resize of opset
 * 10 become Resize of 11 with the coordinates that ONNX Runtime computes them with: {@code
 * asymmetric}, and where neighbors are chosen, rounded down where the scale is at least 1 and up
 * where it is at most 1. All other operators of these opsets mean the same in 11, except those that
 * are refused by name.
 */
final class OldOperators {

  /** The first opset whose operators broadcast as those of today. */
  static final long OLDEST = 7;

  /** What models are raised to. */
  static final long NEWEST = 11;

  private static final long SLICE_BY_INPUTS = 10;
  private static final long SCAN_WITHOUT_BATCHES = 9;
  private static final long IR_VERSION = 6;

  /** Operators that were never part of the standard and have no counterpart in it. */
  private static final Set<String> EXPERIMENTAL =
      Set.of(
          "ATen",
          "Affine",
          "Crop",
          "DynamicSlice",
          "GRUUnit",
          "GivenTensorFill",
          "ImageScaler",
          "ParametricSoftplus",
          "Scale",
          "ScaledTanh");

  private final OnnxModel model;
  private final long from;

  private OldOperators(OnnxModel model, long from) {
    this.model = model;
    this.from = from;
  }

  /**
   * Raises a model of an opset below 11; others stay as they are.
   *
   * @throws UnsupportedModelException if an operator of it has no counterpart, or has functions
   */
  static void raise(OnnxModel model) {
    long from = model.opset("").orElse(NEWEST);
    if (from >= NEWEST) {
      return;
    }
    OldOperators operators = new OldOperators(model, from);
    for (Graph graph : model.graph().all()) {
      for (Node node : List.copyOf(graph.nodes())) {
        if (node.domain().isEmpty()) {
          operators.raise(graph, node);
        }
      }
    }
    model.setOpset("", NEWEST);
    model.requireIrVersion(IR_VERSION);
  }

  private void raise(Graph graph, Node node) {
    switch (node.opType()) {
      case "Slice" -> {
        if (from < SLICE_BY_INPUTS) {
          OpsetRaiser.attributeToInput(model, graph, node, "starts");
          OpsetRaiser.attributeToInput(model, graph, node, "ends");
          OpsetRaiser.attributeToInput(model, graph, node, "axes");
        }
      }
      case "TopK" -> {
        if (from < SLICE_BY_INPUTS) {
          long count = node.intAttribute("k", 1);
          node.removeAttribute("k");
          node.inputs().add(longs(graph, node, "k", count));
        }
      }
      case "Clip" -> raiseClip(graph, node);
      case "Pad" -> raisePad(graph, node);
      case "Upsample", "Resize" -> raiseResize(graph, node);
      case "Scatter" -> node.setOpType("ScatterElements");
      case "Dropout" -> {
        if (from < SLICE_BY_INPUTS && node.outputs().size() > 1) {
          raiseDropout(node);
        }
      }
      case "BatchNormalization" -> {
        if (node.intAttribute("spatial", 1) != 1) {
          throw impossible(node, "it normalizes each place alone (spatial=0), which was removed");
        }
        node.removeAttribute("spatial");
      }
      case "Scan" -> {
        if (from < SCAN_WITHOUT_BATCHES) {
          throw impossible(node, "its first axis was that of the batch, which was changed");
        }
      }
      default -> {
        if (EXPERIMENTAL.contains(node.opType())) {
          throw impossible(node, "it was experimental and was removed");
        }
      }
    }
  }

  private UnsupportedModelException impossible(Node node, String why) {
    return OpsetRaiser.impossible(model, from, NEWEST, node, why);
  }

  private void raiseDropout(Node node) {
    String mask = node.outputs().get(1);
    boolean isRead =
        model.graph().all().stream()
            .anyMatch(
                graph ->
                    graph.nodes().stream().anyMatch(each -> each.inputs().contains(mask))
                        || graph.outputs().stream()
                            .anyMatch(output -> output.getName().equals(mask)));
    if (!mask.isEmpty() && isRead) {
      throw impossible(node, "its mask is read, which was a number and became a truth value");
    }
    node.outputs().remove(1);
  }

  private void raiseClip(Graph graph, Node node) {
    OptionalDouble min = number(node, "min");
    OptionalDouble max = number(node, "max");
    if (min.isEmpty() && max.isEmpty()) {
      return;
    }
    DataType type = type(graph, node);
    node.inputs().add(min.isEmpty() ? "" : scalar(graph, node, "min", type, min.getAsDouble()));
    if (max.isPresent()) {
      node.inputs().add(scalar(graph, node, "max", type, max.getAsDouble()));
    }
    node.removeAttribute("min");
    node.removeAttribute("max");
  }

  private void raisePad(Graph graph, Node node) {
    OpsetRaiser.attributeToInput(model, graph, node, "pads");
    OptionalDouble value = number(node, "value");
    node.removeAttribute("value");
    if (value.isPresent() && value.getAsDouble() != 0) {
      node.inputs().add(scalar(graph, node, "value", type(graph, node), value.getAsDouble()));
    }
  }

  private static OptionalDouble number(Node node, String attribute) {
    return node.hasAttribute(attribute)
        ? OptionalDouble.of(node.floatAttribute(attribute, 0))
        : OptionalDouble.empty();
  }

  private void raiseResize(Graph graph, Node node) {
    String scales = node.input(1);
    if (node.hasAttribute("scales")) {
      List<Float> values = node.floatsAttribute("scales");
      float[] array = new float[values.size()];
      for (int i = 0; i < array.length; i++) {
        array[i] = values.get(i);
      }
      scales = name(node, "scales");
      add(graph, StoredTensor.ofFloats(scales, List.of((long) array.length), array));
      node.removeAttribute("scales");
    }
    String mode = node.stringAttribute("mode", "nearest");
    if (mode.equals("nearest")) {
      node.with("nearest_mode", rounding(graph, node, scales));
    } else {
      node.with("mode", "linear");
    }
    node.with("coordinate_transformation_mode", "asymmetric");
    node.setOpType("Resize");
    String input = node.input(0);
    node.inputs().clear();
    node.inputs().addAll(List.of(input, "", scales));
  }

  /** How ONNX Runtime rounds coordinates of opset 10: as is, or up where images get smaller. */
  private String rounding(Graph graph, Node node, String scales) {
    FloatBuffer values =
        graph
            .constant(scales)
            .flatMap(Initializer::tensor)
            .filter(tensor -> tensor.type() == DataType.FLOAT)
            .map(FloatValues::of)
            .orElseThrow(
                () ->
                    impossible(node, "its scales are computed, and how it rounds depends on them"));
    boolean grows = false;
    boolean shrinks = false;
    while (values.hasRemaining()) {
      float scale = values.get();
      grows |= scale > 1;
      shrinks |= scale < 1;
    }
    if (grows && shrinks) {
      throw impossible(node, "it enlarges one axis and reduces another, which round differently");
    }
    return shrinks ? "ceil" : "floor";
  }

  /** The element type of what a node reads, which decides that of its new inputs. */
  private DataType type(Graph graph, Node node) {
    return ValueTypes.of(graph, node.input(0))
        .filter(
            type -> type == DataType.FLOAT || type == DataType.FLOAT16 || type == DataType.DOUBLE)
        .orElseThrow(() -> impossible(node, "the element type of its input is not known"));
  }

  private String scalar(Graph graph, Node node, String what, DataType type, double value) {
    ByteBuffer bytes = ByteBuffer.allocate((int) type.bytes(1)).order(ByteOrder.LITTLE_ENDIAN);
    if (type == DataType.DOUBLE) {
      bytes.putDouble(value);
    } else if (type == DataType.FLOAT16) {
      bytes.putShort(Float16.fromFloat((float) value));
    } else {
      bytes.putFloat((float) value);
    }
    String name = name(node, what);
    add(graph, StoredTensor.of(name, type, List.of(), bytes.flip()));
    return name;
  }

  private String longs(Graph graph, Node node, String what, long value) {
    String name = name(node, what);
    add(graph, StoredTensor.ofLongs(name, List.of(1L), value));
    return name;
  }

  private String name(Node node, String what) {
    return model.freshName(node.outputs().get(0) + "_" + what);
  }

  private static void add(Graph graph, StoredTensor tensor) {
    graph.initializers().put(tensor.name(), Initializer.of(tensor));
  }
}
