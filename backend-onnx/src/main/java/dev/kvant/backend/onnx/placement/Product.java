package dev.kvant.backend.onnx.placement;

import java.util.List;
import java.util.Objects;

/**
 * A product with a constant, as it is planned.
 *
 * @param input which input of the node takes the activation
 * @param weight the shape of the constant
 * @param channelAxis the axis of its output channels
 * @param isInteger whether both operands are to be int8 and the node computes in float32
 * @since 0.1.0
 */
public record Product(int input, List<Long> weight, int channelAxis, boolean isInteger) {

  public Product {
    weight = List.copyOf(weight);
    Objects.checkIndex(channelAxis, weight.size());
  }

  /** How many weights there are. */
  long weights() {
    return weight.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
  }

  /** How many products are summed up for each element that comes out. */
  double terms() {
    return (double) weights() / Math.max(1, weight.get(channelAxis));
  }
}
