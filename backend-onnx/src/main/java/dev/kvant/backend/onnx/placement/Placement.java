package dev.kvant.backend.onnx.placement;

import dev.kvant.onnx.graph.Node;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where the tensors of a graph are quantized.
 *
 * @param integers the nodes that compute with codes
 * @param pairs the tensors, in the order in which they are written
 * @param folded nodes whose work the range of the codes does: what they read is written as what
 *     they wrote
 * @param inFloat the nodes that compute in float, each with the reason; without those that compute
 *     shapes and indices
 * @param estimate what the placement is estimated to take
 * @since 0.1.0
 */
public record Placement(
    Set<Node> integers,
    List<Pair> pairs,
    Set<Node> folded,
    Map<Node, String> inFloat,
    Estimate estimate) {

  public Placement {
    integers = Set.copyOf(integers);
    pairs = List.copyOf(pairs);
    folded = Set.copyOf(folded);
    inFloat = Map.copyOf(inFloat);
  }

  /**
   * What a graph takes for one sample by the table of costs.
   *
   * @param original nanoseconds in float32
   * @param quantized nanoseconds as placed
   */
  public record Estimate(double original, double quantized) {

    /** Smaller differences are within the accuracy of the table. */
    private static final double NOTEWORTHY = 0.98;

    /** Whether quantizing makes the graph slower, by more than the table is accurate. */
    public boolean isSlower() {
      return speed() < NOTEWORTHY;
    }

    /** The speed of the graph as placed, relative to float32. */
    public double speed() {
      return original / quantized;
    }
  }
}
