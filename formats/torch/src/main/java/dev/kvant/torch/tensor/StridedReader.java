package dev.kvant.torch.tensor;

import dev.kvant.spi.ByteSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Gathers elements that are not contiguous in their storage.
 *
 * <p>A range of row-major indices is a sequence of boxes (rests of rows, then whole rows). A box is
 * divided along its longest strides until its parts are close together. Each part is then read at
 * once and scattered. A transposed matrix therefore costs a few reads for each block, not one for
 * each element.
 */
final class StridedReader {

  /** The maximum size of one read in bytes. */
  private static final int MAX_SPAN = 1 << 20;

  /** Below this number of bytes of file for each element, reading the gaps too is cheaper. */
  private static final long WORTH_READING = 4096;

  private final ByteSource source;
  private final int size;
  private final long[] shape;
  private final long[] strides;
  private final ByteBuffer target;
  private final long[] volumes;
  private ByteBuffer scratch = ByteBuffer.allocate(0);

  StridedReader(
      ByteSource source, int size, List<Long> shape, List<Long> strides, ByteBuffer target) {
    this.source = source;
    this.size = size;
    this.shape = shape.stream().mapToLong(Long::longValue).toArray();
    this.strides = strides.stream().mapToLong(Long::longValue).toArray();
    this.target = target;
    this.volumes = new long[this.shape.length + 1];
    volumes[this.shape.length] = 1;
    for (int i = this.shape.length - 1; i >= 0; i--) {
      volumes[i] = volumes[i + 1] * this.shape[i];
    }
  }

  void read(long offset, long first, long count) {
    if (count > 0) {
      range(0, offset, first, count);
    }
  }

  /** Reads a range of the row-major indices of dimensions {@code dimension} and on. */
  private void range(int dimension, long base, long first, long count) {
    if (first == 0 && count == volumes[dimension]) {
      box(dimension, base, dimension == shape.length ? 1 : shape[dimension]);
      return;
    }
    long row = volumes[dimension + 1];
    long index = first / row;
    long within = first % row;
    long left = count;
    if (within > 0) {
      long rest = Math.min(left, row - within);
      range(dimension + 1, base + index * strides[dimension], within, rest);
      left -= rest;
      index++;
    }
    long rows = left / row;
    if (rows > 0) {
      box(dimension, base + index * strides[dimension], rows);
      index += rows;
      left -= rows * row;
    }
    if (left > 0) {
      range(dimension + 1, base + index * strides[dimension], 0, left);
    }
  }

  /** Reads {@code rows} whole rows of dimension {@code dimension}. */
  private void box(int dimension, long base, long rows) {
    int[] axes =
        IntStream.range(dimension, shape.length)
            .filter(axis -> (axis == dimension ? rows : shape[axis]) > 1)
            .boxed()
            .sorted((left, right) -> Long.compare(strides[right], strides[left]))
            .mapToInt(Integer::intValue)
            .toArray();
    long[] extents = new long[axes.length];
    long[] from = new long[axes.length];
    long[] to = new long[axes.length];
    long elements = 1;
    for (int i = 0; i < axes.length; i++) {
      extents[i] = axes[i] == dimension ? rows : shape[axes[i]];
      from[i] = strides[axes[i]];
      to[i] = volumes[axes[i] + 1];
      elements *= extents[i];
    }
    ByteBuffer place = target.slice().order(ByteOrder.LITTLE_ENDIAN);
    new Box(extents, from, to, place).copy(0, base, 0);
    target.position(target.position() + (int) elements * size);
  }

  private ByteBuffer read(long position, int bytes) {
    if (scratch.capacity() < bytes) {
      scratch = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
    source.read(position, scratch.clear().limit(bytes));
    return scratch;
  }

  /**
   * Axes by descending distance in the storage, with distances in the storage and in the target.
   */
  private final class Box {

    private final long[] extents;
    private final long[] from;
    private final long[] to;
    private final ByteBuffer place;

    Box(long[] extents, long[] from, long[] to, ByteBuffer place) {
      this.extents = extents;
      this.from = from;
      this.to = to;
      this.place = place;
    }

    void copy(int axis, long base, long position) {
      if (axis == extents.length) {
        put(read(base * size, size), 0, (int) position * size);
        return;
      }
      long span = 1;
      long elements = 1;
      for (int i = axis + 1; i < extents.length; i++) {
        span += (extents[i] - 1) * from[i];
        elements *= extents[i];
      }
      long step = Math.max(1, from[axis]);
      long together = Math.min(extents[axis], 1 + Math.max(0, MAX_SPAN / size - span) / step);
      long bytes = (span + (together - 1) * step) * size;
      boolean near = bytes <= MAX_SPAN && bytes <= together * elements * WORTH_READING;
      for (long i = 0; i < extents[axis]; i += near ? together : 1) {
        long source = base + i * from[axis];
        long place = position + i * to[axis];
        if (near) {
          long count = Math.min(together, extents[axis] - i);
          long last = (span + (count - 1) * from[axis]) * size;
          scatter(read(source * size, (int) last), axis, count, 0, place);
        } else {
          copy(axis + 1, source, place);
        }
      }
    }

    /** Distributes {@code count} indices of an axis and all of the axes behind it. */
    private void scatter(ByteBuffer block, int axis, long count, long source, long position) {
      for (long i = 0; i < count; i++) {
        long element = source + i * from[axis];
        long place = position + i * to[axis];
        if (axis + 1 == extents.length) {
          put(block, (int) element * size, (int) place * size);
        } else {
          scatter(block, axis + 1, extents[axis + 1], element, place);
        }
      }
    }

    private void put(ByteBuffer block, int source, int position) {
      switch (size) {
        case Byte.BYTES -> place.put(position, block.get(source));
        case Short.BYTES -> place.putShort(position, block.getShort(source));
        case Integer.BYTES -> place.putInt(position, block.getInt(source));
        default -> place.putLong(position, block.getLong(source));
      }
    }
  }
}
