package dev.kvant.kit;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelTensor;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;

/**
 * A tensor whose elements follow each other in row-major order, little-endian, for formats that
 * store tensors so.
 *
 * @since 0.1.0
 */
public final class ContiguousTensor implements ModelTensor {

  /**
   * Where the bytes of a tensor are.
   *
   * @since 0.1.0
   */
  @FunctionalInterface
  public interface Content {

    /**
     * Reads bytes into a buffer, from its position to its limit. Several threads call it at once.
     *
     * @param position the index of the first byte within the tensor
     */
    void read(long position, ByteBuffer target);
  }

  private final String identity;
  private final ElementType elementType;
  private final List<Long> shape;
  private final Content content;

  private ContiguousTensor(
      String identity, ElementType elementType, List<Long> shape, Content content) {
    this.identity = Objects.requireNonNull(identity, "identity");
    this.elementType = Objects.requireNonNull(elementType, "elementType");
    this.shape = List.copyOf(shape);
    this.content = Objects.requireNonNull(content, "content");
  }

  /**
   * A tensor.
   *
   * @param identity names its bytes within the model
   * @param bytes how many bytes there are
   * @param content reads them
   * @throws ModelFormatException if the shape and the element type require another number of bytes
   */
  public static ContiguousTensor of(
      String identity, ElementType elementType, List<Long> shape, long bytes, Content content) {
    var tensor = new ContiguousTensor(identity, elementType, shape, content);
    long expected = -1;
    try {
      expected = shape.stream().anyMatch(extent -> extent < 0) ? -1 : tensor.bytes();
    } catch (ArithmeticException e) {
      // No file has as many.
    }
    if (expected != bytes) {
      throw new ModelFormatException(
          "tensor '%s' has %d bytes, which do not match %s elements of shape %s"
              .formatted(identity, bytes, elementType, shape));
    }
    return tensor;
  }

  /**
   * A tensor in memory.
   *
   * @param identity names its bytes within the model
   * @param content its bytes, from position to limit
   * @throws ModelFormatException if the shape and the element type require another number of bytes
   */
  public static ContiguousTensor of(
      String identity, ElementType elementType, List<Long> shape, ByteBuffer content) {
    ByteBuffer bytes = content.slice();
    return of(
        identity,
        elementType,
        shape,
        bytes.capacity(),
        (position, target) -> target.put(bytes.slice((int) position, target.remaining())));
  }

  @Override
  public ElementType elementType() {
    return elementType;
  }

  @Override
  public List<Long> shape() {
    return shape;
  }

  @Override
  public String identity() {
    return identity;
  }

  @Override
  public void read(long firstElement, ByteBuffer target) {
    int inBlock = elementType.blockElements();
    if (target.remaining() % elementType.blockBytes() != 0 || firstElement % inBlock != 0) {
      throw new IllegalArgumentException(
          "target: %d bytes from element %d are not whole blocks of %s"
              .formatted(target.remaining(), firstElement, elementType));
    }
    long position = elementType.bytes(firstElement);
    Objects.checkFromIndexSize(position, (long) target.remaining(), bytes());
    content.read(position, target);
  }

  @Override
  public String toString() {
    return "%s%s".formatted(elementType, shape);
  }
}
