package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.Tensor;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An array in NumPy's format, read along its first axis a few rows at a time, so that its size does
 * not matter. One in Fortran order has to be turned and is therefore held whole.
 */
final class NpyArray implements AutoCloseable {

  private final String name;
  private final DataInputStream in;
  private final NpyHeader header;
  private final List<Long> rowShape;
  private final int rowBytes;
  private final @Nullable ByteBuffer turned;
  private long row;

  /**
   * Reads the header.
   *
   * @param stream the array; closed with this, and when this fails
   * @param name what to call it in errors
   * @throws DataException if it is damaged
   */
  NpyArray(InputStream stream, String name) throws IOException {
    this.name = name;
    this.in = new DataInputStream(new BufferedInputStream(stream));
    boolean isRead = false;
    try {
      this.header = NpyHeader.read(in, name);
      this.rowShape =
          header.shape().subList(Math.min(1, header.shape().size()), header.shape().size());
      this.rowBytes = rowBytes();
      this.turned = header.fortranOrder() && !header.shape().isEmpty() ? turn() : null;
      isRead = true;
    } finally {
      if (!isRead) {
        in.close();
      }
    }
  }

  private int rowBytes() {
    try {
      long bytes = header.elementType().bytes();
      for (long dimension : rowShape) {
        bytes = Math.multiplyExact(bytes, dimension);
      }
      return Math.toIntExact(bytes);
    } catch (ArithmeticException e) {
      throw new DataException(
          "one sample of %s, of shape %s, is too large".formatted(name, rowShape), e);
    }
  }

  /** The dimensions, outermost first; empty for a single value. */
  List<Long> shape() {
    return header.shape();
  }

  /** The array whole; nothing of it may have been read before. */
  Tensor whole() throws IOException {
    if (!shape().isEmpty()) {
      return next(Math.toIntExact(Math.max(1, rows())));
    }
    return Tensor.of(header.elementType(), List.of(), read(1));
  }

  private long rows() {
    if (header.shape().isEmpty()) {
      throw new DataException(
          "%s is a single value; its first axis must count the samples".formatted(name));
    }
    return header.shape().get(0);
  }

  /**
   * The next rows, fewer at the end.
   *
   * @param most how many at most, at least one
   * @throws DataException if the file ends before the array does
   */
  Tensor next(int most) throws IOException {
    int rows = (int) Math.min(most, rows() - row);
    ByteBuffer data =
        turned != null ? turned.slice(Math.toIntExact(row * rowBytes), length(rows)) : read(rows);
    row += rows;
    List<Long> shape = new ArrayList<>();
    shape.add((long) rows);
    shape.addAll(rowShape);
    return Tensor.of(header.elementType(), shape, data);
  }

  private ByteBuffer read(int rows) throws IOException {
    int bytes = length(rows);
    byte[] read = in.readNBytes(bytes);
    if (read.length < bytes) {
      throw new DataException(
          "%s ends after %d of %d rows"
              .formatted(
                  name,
                  row + read.length / Math.max(1, rowBytes),
                  header.shape().isEmpty() ? 1 : rows()));
    }
    return ByteBuffer.wrap(read);
  }

  private int length(long rows) {
    try {
      return Math.toIntExact(Math.multiplyExact(rows, (long) rowBytes));
    } catch (ArithmeticException e) {
      throw new DataException(
          "%d samples of %s do not fit into memory at once; use a smaller batch"
              .formatted(rows, name),
          e);
    }
  }

  /** Fortran order has the first axis fastest; the tensors here have it slowest. */
  private ByteBuffer turn() throws IOException {
    int size = header.elementType().bytes();
    long rows = rows();
    byte[] read = in.readNBytes(length(rows));
    if (read.length < length(rows)) {
      throw new DataException("%s ends before its last element".formatted(name));
    }
    byte[] rowMajor = new byte[read.length];
    long[] position = new long[header.shape().size()];
    for (int source = 0; source < read.length; source += size) {
      long target = 0;
      for (int axis = 0; axis < position.length; axis++) {
        target = target * header.shape().get(axis) + position[axis];
      }
      System.arraycopy(read, source, rowMajor, (int) target * size, size);
      advance(position);
    }
    return ByteBuffer.wrap(rowMajor);
  }

  private void advance(long[] position) {
    for (int axis = 0; axis < position.length; axis++) {
      if (++position[axis] < header.shape().get(axis)) {
        return;
      }
      position[axis] = 0;
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
