package dev.kvant.backend.onnx.placement;

import dev.kvant.onnx.graph.Node;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An operator as placement sees it, with the activation function that its integer kernel computes
 * along the way.
 *
 * @param node the node
 * @param kernel what its integer kernel asks for
 * @param reach from where on regions may include it
 * @param cost its line in the table of costs
 * @param inputs the activations that an integer kernel reads as codes, or all that a float operator
 *     reads
 * @param output the activation that comes out, behind {@code folded} if there is one; for an
 *     operator with several outputs the first one
 * @param otherOutputs the other outputs
 * @param work how often the unit of {@code cost} is done for each element that comes out; 0 if it
 *     is done once for each element of the largest activation
 * @param weights how many weights it has; they are restored to float where it computes in float
 * @param folded a Relu or Clip that only this operator feeds, or null
 */
record Operator(
    Node node,
    Kernel kernel,
    Reach reach,
    String cost,
    List<Reader> inputs,
    String output,
    List<String> otherOutputs,
    double work,
    long weights,
    @Nullable Node folded) {

  Operator {
    inputs = List.copyOf(inputs);
    otherOutputs = List.copyOf(otherOutputs);
  }

  /** All that comes out. */
  List<String> outputs() {
    return Stream.concat(Stream.of(output), otherOutputs.stream()).toList();
  }

  /** Whether it multiplies with weights. */
  boolean hasWeights() {
    return weights > 0;
  }
}
