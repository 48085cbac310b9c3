package dev.kvant.api;

import java.util.List;
import java.util.Objects;

/**
 * A tensor that a module owns, without its data.
 *
 * @param name the name within its module, as in {@code weight}
 * @param elementType the type of its elements as stored
 * @param shape its dimensions, outermost first; empty for a scalar
 * @param storage identifies the stored bytes within one model: equal for tensors that share them
 *     (tied weights)
 * @since 0.1.0
 */
public record TensorDescription(
    String name, ElementType elementType, List<Long> shape, String storage) {

  public TensorDescription {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(elementType, "elementType");
    shape = List.copyOf(shape);
    Objects.requireNonNull(storage, "storage");
  }

  /**
   * Number of elements: the product of the dimensions, 1 for a scalar.
   *
   * @throws ArithmeticException if there are 2<sup>63</sup> or more
   */
  public long elements() {
    // The product of the others may be too large for a number.
    return shape.contains(0L) ? 0 : shape.stream().reduce(1L, Math::multiplyExact);
  }

  /** Size of the elements in bytes. */
  public long bytes() {
    return elementType.bytes(elements());
  }
}
