package dev.kvant.backend.onnx.placement;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import java.util.Optional;
import java.util.Set;

/**
 * What an operator's results cannot leave.
 *
 * @param min no result is below it
 * @param max no result is above it
 * @since 0.1.0
 */
public record Bounds(float min, float max) {

  /** Anything. */
  public static final Bounds NONE = new Bounds(Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY);

  /** The operators that {@link #of} may find bounds of. */
  static final Set<String> FOLDED = Set.of("Relu", "Clip");

  /** From 0 to 1. */
  static final Bounds UNIT = new Bounds(0, 1);

  /**
   * The bounds of a Relu or of a Clip with constant ends around 0: codes of a range within them
   * cannot hold anything else, so the operator does nothing more in front of QuantizeLinear.
   */
  static Optional<Bounds> of(Graph graph, Node node) {
    if (node.is("Relu")) {
      return Optional.of(new Bounds(0, Float.POSITIVE_INFINITY));
    }
    if (!node.is("Clip")) {
      return Optional.empty();
    }
    Optional<Float> min = end(graph, node, 1, "min", Float.NEGATIVE_INFINITY);
    Optional<Float> max = end(graph, node, 2, "max", Float.POSITIVE_INFINITY);
    return min.isPresent() && max.isPresent() && min.get() <= 0 && max.get() > 0
        ? Optional.of(new Bounds(min.get(), max.get()))
        : Optional.empty();
  }

  private static Optional<Float> end(
      Graph graph, Node node, int input, String attribute, float none) {
    String name = node.input(input);
    if (name.isEmpty()) {
      return Optional.of(node.floatAttribute(attribute, none));
    }
    return graph
        .constant(name)
        .flatMap(Initializer::tensor)
        .filter(tensor -> tensor.type() == DataType.FLOAT && tensor.elements() == 1)
        .map(tensor -> tensor.content().read(0, Float.BYTES).asFloatBuffer().get(0));
  }

  /** What lies within both. */
  public Bounds and(Bounds other) {
    float lower = Math.max(min, other.min);
    float upper = Math.min(max, other.max);
    return new Bounds(lower, upper);
  }
}
