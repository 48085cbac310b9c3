package dev.kvant.numerics;

import java.nio.ByteBuffer;

/**
 * A block of a matrix with a scale for each column, processed tile by tile on one thread.
 *
 * <p>Channels alternate from element to element; the block may begin and end within a row. Buffers
 * contain the whole block and are little-endian.
 */
final class TiledColumns {

  /** Weights in a tile. */
  private static final int LENGTH = 4096;

  private final int channels;
  private final int firstChannel;
  private final int elements;
  private final Tile tile;

  /**
   * A block of that many elements.
   *
   * @param firstChannel the channel of the first
   */
  TiledColumns(FloatType type, Coding coding, int channels, int firstChannel, int elements) {
    this.channels = channels;
    this.firstChannel = firstChannel;
    this.elements = elements;
    this.tile = new Tile(type, coding, Math.min(LENGTH, elements));
  }

  /** Raises each channel's entry to its largest magnitude. */
  void amax(ByteBuffer weights, float[] amax) {
    for (int index = 0; index < elements; index += LENGTH) {
      int count = load(weights, index);
      forEachRun(index, count, (from, to, channel) -> tile.raiseEach(from, to, amax, channel));
    }
  }

  void quantize(ByteBuffer weights, float[] scales, ByteBuffer codes) {
    for (int index = 0; index < elements; index += LENGTH) {
      int count = load(weights, index);
      forEachRun(index, count, (from, to, channel) -> tile.scaleEach(from, to, scales, channel));
      tile.encode(codes, index, count);
    }
  }

  /** The error of the restored weights. */
  QuantizationError error(ByteBuffer weights, ByteBuffer codes, float[] scales) {
    for (int index = 0; index < elements; index += LENGTH) {
      int begin = index;
      int count = load(weights, index);
      forEachRun(
          index,
          count,
          (from, to, channel) -> tile.compareEach(codes, begin, from, to, scales, channel));
    }
    return tile.error();
  }

  private int load(ByteBuffer weights, int index) {
    int count = Math.min(LENGTH, elements - index);
    tile.load(weights, index, count);
    tile.finiteAmax(weights, index, 0, count);
    return count;
  }

  @FunctionalInterface
  private interface Run {

    /** Processes weights of the tile whose channels follow each other. */
    void accept(int from, int to, int channel);
  }

  private void forEachRun(int index, int count, Run run) {
    int to;
    for (int from = 0; from < count; from = to) {
      int channel = (int) (((long) firstChannel + index + from) % channels);
      to = Math.min(count, from + channels - channel);
      run.accept(from, to, channel);
    }
  }
}
