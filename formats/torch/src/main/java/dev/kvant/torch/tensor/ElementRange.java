package dev.kvant.torch.tensor;

import java.nio.ByteBuffer;
import java.util.Objects;

/** The elements that a buffer requests. */
final class ElementRange {

  private ElementRange() {}

  /**
   * How many elements fit between the buffer's position and its limit.
   *
   * @throws IllegalArgumentException if the space is not a multiple of the element size
   * @throws IndexOutOfBoundsException if the tensor ends before the buffer is full
   */
  static int count(StoredTensor tensor, long firstElement, ByteBuffer target) {
    int size = tensor.elementType().bytes();
    if (target.remaining() % size != 0) {
      throw new IllegalArgumentException(
          "target: %d bytes are not a whole number of %s elements"
              .formatted(target.remaining(), tensor.elementType()));
    }
    int count = target.remaining() / size;
    Objects.checkFromIndexSize(firstElement, (long) count, tensor.elements());
    return count;
  }
}
