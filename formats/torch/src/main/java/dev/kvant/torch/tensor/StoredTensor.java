package dev.kvant.torch.tensor;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A tensor that lies in a file and is read in blocks of any size, by several threads at once.
 *
 * @since 0.1.0
 */
public sealed interface StoredTensor permits DenseTensor, QuantizedTensor {

  /** The type of the elements that {@link #read} gives. */
  ElementType elementType();

  /** Dimensions, outermost first; empty for a scalar. */
  List<Long> shape();

  /** Names the elements within their model: equal for tensors that are tied. */
  String identity();

  /** The storages that hold it. */
  List<TensorStorage> storages();

  /**
   * Reads elements into a buffer, from its position to its limit: row-major, little-endian,
   * whatever the layout in the file and the buffer's own byte order.
   *
   * @param firstElement the row-major index of the first element
   * @param target takes as many elements as fit
   * @throws IllegalArgumentException if the buffer's space is no multiple of the element size
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
    return Math.multiplyExact(elements(), elementType().bytes());
  }
}
