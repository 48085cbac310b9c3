package dev.kvant.kit;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;

/**
 * A tensor to write into a file.
 *
 * @param name its qualified name
 * @param elementType the type of its elements in the file
 * @param shape its dimensions in the file, outermost first
 * @param content writes its bytes
 * @since 0.1.0
 */
public record OutputTensor(
    String name, ElementType elementType, List<Long> shape, Content content) {

  /** Bytes of one piece of a tensor that is copied, a multiple of every element's size. */
  private static final int PIECE = 1 << 20;

  /**
   * Writes the bytes of a tensor.
   *
   * @since 0.1.0
   */
  @FunctionalInterface
  public interface Content {

    /**
     * Writes exactly as many bytes as the tensor has, row-major and little-endian.
     *
     * @param progress advances by the bytes of the model that are done
     */
    void writeTo(OutputStream out, ByteProgress progress) throws IOException;
  }

  public OutputTensor {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(elementType, "elementType");
    shape = List.copyOf(shape);
    Objects.requireNonNull(content, "content");
  }

  /** A tensor of a model as it is. */
  public static OutputTensor copyOf(String name, ModelTensor tensor) {
    return new OutputTensor(
        name,
        tensor.elementType(),
        tensor.shape(),
        (out, progress) -> copy(name, tensor, out, progress));
  }

  private static void copy(String name, ModelTensor tensor, OutputStream out, ByteProgress progress)
      throws IOException {
    ElementType type = tensor.elementType();
    long inPiece = Math.max(1L, PIECE / type.blockBytes()) * type.blockElements();
    byte[] bytes = new byte[(int) type.bytes(Math.min(inPiece, tensor.elements()))];
    for (long first = 0; first < tensor.elements(); first += inPiece) {
      int length = (int) type.bytes(Math.min(inPiece, tensor.elements() - first));
      tensor.read(first, ByteBuffer.wrap(bytes, 0, length));
      out.write(bytes, 0, length);
      progress.advance(length, name);
    }
  }

  /** Size in the file, in bytes. */
  public long bytes() {
    return elementType.bytes(shape.stream().reduce(1L, Math::multiplyExact));
  }

  /**
   * Writes the bytes of the tensor.
   *
   * @param progress advances by the bytes of the model that are done
   * @throws IllegalStateException if the content is not as long as the shape says
   */
  public void writeTo(OutputStream out, ByteProgress progress) throws IOException {
    var counted = new CountedStream(out);
    content.writeTo(counted, progress);
    if (counted.written != bytes()) {
      throw new IllegalStateException(
          "tensor '%s' was written with %d bytes, and its shape %s of %s requires %d"
              .formatted(name, counted.written, shape, elementType, bytes()));
    }
  }

  private static final class CountedStream extends OutputStream {

    private final OutputStream out;
    private long written;

    CountedStream(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int value) throws IOException {
      out.write(value);
      written++;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
      written += length;
    }
  }
}
