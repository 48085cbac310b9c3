package dev.kvant.numerics;

import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * Quantizes a tensor with one scale per channel of any axis, passed in blocks of any size.
 *
 * <p>A tensor of shape {@code [d0, d1, …]} whose channels lie along axis {@code a} is treated as
 * {@code [outer, channels, inner]} with {@code inner} the product of the dimensions behind {@code
 * a}; one channel makes it per tensor. Each of the {@code outer} slices is a matrix. A {@link
 * RowQuantizer} processes its rows, or parts of rows where a block ends within a row. A block holds
 * little-endian values of the weights' type between a buffer's position and limit, which stay
 * unchanged.
 *
 * <p>Instances are immutable and thread-safe.
 *
 * @since 0.1.0
 */
public final class ChannelQuantizer {

  private final RowQuantizer rows;
  private final int channels;
  private final long inner;

  /**
   * Creates a quantizer.
   *
   * @param rows the arithmetic
   * @param channels the number of channels, at least 1
   * @param inner the number of consecutive elements of one channel, at least 1
   * @throws IllegalArgumentException if there is no channel or it has no elements
   */
  public ChannelQuantizer(RowQuantizer rows, int channels, long inner) {
    this.rows = Objects.requireNonNull(rows, "rows");
    if (channels < 1 || inner < 1) {
      throw new IllegalArgumentException(
          "channels and inner must be at least 1, were " + channels + " and " + inner);
    }
    this.channels = channels;
    this.inner = inner;
  }

  /**
   * Raises each channel's entry to its largest magnitude in a block.
   *
   * @param block a block of weights
   * @param firstElement the index of its first element in the tensor, in row-major order
   * @param amax one entry per channel, 0 before the first block
   * @throws NonFiniteValueException if a weight is NaN or infinite, with its index in the tensor
   * @throws IllegalArgumentException if {@code amax} has another length
   * @see RowQuantizer#amax
   */
  public void amax(ByteBuffer block, long firstElement, float[] amax) {
    checkLength("amax", amax);
    if (inner == 1) {
      ByteBuffer source = RowQuantizer.littleEndian(block);
      inTensor(firstElement, () -> columns(source, firstElement).amax(source, amax));
      return;
    }
    forEachMatrix(
        block,
        firstElement,
        (from, matrix, columns, channel) -> rows.amax(matrix, columns, amax, channel));
  }

  /**
   * Quantizes a block.
   *
   * @param block a block of weights
   * @param firstElement the index of its first element in the tensor, in row-major order
   * @param scales one per channel, positive and finite
   * @param target receives one byte per weight from its position on; the position stays unchanged
   * @return the error of {@code q * scale}
   * @throws NonFiniteValueException if a weight is NaN or infinite, with its index in the tensor
   * @throws IllegalArgumentException if {@code scales} has another length or {@code target} is too
   *     small
   * @see RowQuantizer#quantize
   */
  public QuantizationError quantize(
      ByteBuffer block, long firstElement, float[] scales, ByteBuffer target) {
    checkLength("scales", scales);
    int elements = block.remaining() / rows.weights().bytes();
    if (target.remaining() < elements) {
      throw new IllegalArgumentException(
          "target must have room for " + elements + " bytes, but has " + target.remaining());
    }
    if (inner == 1) {
      return quantizeColumns(
          RowQuantizer.littleEndian(block),
          firstElement,
          scales,
          RowQuantizer.littleEndian(target));
    }
    QuantizationError[] error = {QuantizationError.NONE};
    forEachMatrix(
        block,
        firstElement,
        (from, matrix, columns, channel) -> {
          int count = matrix.remaining() / rows.weights().bytes();
          ByteBuffer codes = target.slice(target.position() + from, count);
          rows.quantize(matrix, columns, scales, channel, codes);
          error[0] = error[0].plus(rows.error(matrix, columns, scales, channel, codes));
        });
    return error[0];
  }

  private QuantizationError quantizeColumns(
      ByteBuffer source, long firstElement, float[] scales, ByteBuffer codes) {
    rows.checkScales(scales, 0, channels);
    inTensor(firstElement, () -> columns(source, firstElement).quantize(source, scales, codes));
    return columns(source, firstElement).error(source, codes, scales);
  }

  private TiledColumns columns(ByteBuffer source, long firstElement) {
    int elements = source.remaining() / rows.weights().bytes();
    return rows.columns(elements, channels, (int) (firstElement % channels));
  }

  private static void inTensor(long firstElement, Runnable work) {
    try {
      work.run();
    } catch (NonFiniteValueException e) {
      throw new NonFiniteValueException(firstElement + e.index(), e.value());
    }
  }

  @FunctionalInterface
  private interface MatrixConsumer {

    /**
     * Processes consecutive channels of one slice, or a part of one channel.
     *
     * @param from the index of its first element in the block
     */
    void accept(int from, ByteBuffer matrix, int columns, int channel);
  }

  private void forEachMatrix(ByteBuffer block, long firstElement, MatrixConsumer consumer) {
    int bytes = rows.weights().bytes();
    int elements = block.remaining() / bytes;
    int count;
    for (int from = 0; from < elements; from += count) {
      long element = firstElement + from;
      int channel = (int) (element / inner % channels);
      long rest = inner - element % inner;
      int columns = (int) Math.min(rest, elements - from);
      int wholeRows = Math.min(channels - channel, (elements - from) / columns);
      count = columns == inner ? wholeRows * columns : columns;
      ByteBuffer matrix = block.slice(block.position() + from * bytes, count * bytes);
      int start = from;
      inTensor(element, () -> consumer.accept(start, matrix, columns, channel));
    }
  }

  private void checkLength(String name, float[] array) {
    if (array.length != channels) {
      throw new IllegalArgumentException(
          name + " must have " + channels + " entries, but has " + array.length);
    }
  }
}
