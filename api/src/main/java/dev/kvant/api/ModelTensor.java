package dev.kvant.api;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * A tensor that lies in a model's file and is read in pieces of any size, by several threads at
 * once, as long as its model is open.
 *
 * @since 0.1.0
 */
public interface ModelTensor {

  /** The type of the elements that {@link #read} gives. */
  ElementType elementType();

  /** Its dimensions, outermost first; empty for a scalar. */
  List<Long> shape();

  /**
   * Names the elements within their model: equal for tensors that are tied. The same as {@link
   * TensorDescription#storage()} of the tensor's description.
   */
  String identity();

  /**
   * Reads elements into a buffer, from its position to its limit: row-major, little-endian,
   * whatever the layout in the file and the buffer's own byte order. Where elements share bytes, a
   * piece is a number of whole blocks.
   *
   * @param firstElement the row-major index of the first element
   * @param target gets as many elements as fit
   * @throws IllegalArgumentException if the buffer's space is not a number of whole elements
   * @throws IndexOutOfBoundsException if the tensor ends before the buffer is full
   * @throws ModelFormatException if the file cannot be read any more
   */
  void read(long firstElement, ByteBuffer target);

  /** Number of elements: the product of the dimensions, 1 for a scalar. */
  default long elements() {
    return shape().stream().reduce(1L, Math::multiplyExact);
  }

  /** Size of all elements in bytes, as {@link #read} gives them. */
  default long bytes() {
    return elementType().bytes(elements());
  }
}
