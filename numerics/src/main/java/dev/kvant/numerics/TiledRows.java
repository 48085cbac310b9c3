package dev.kvant.numerics;

import java.nio.ByteBuffer;

/**
 * Some rows of a block, processed tile by tile on one thread.
 *
 * <p>A tile contains either whole rows or a part of one row, so memory stays small for rows of any
 * length. Buffers contain the whole block and are little-endian.
 */
final class TiledRows {

  /** Returns the scale of a row of the matrix with a known largest magnitude. */
  @FunctionalInterface
  interface RowScale {
    float scale(int row, float amax);
  }

  /** Weights in a tile of several rows. */
  private static final int LENGTH = 4096;

  /** The longest row that fits a tile as a whole, so that its weights are read only once. */
  private static final int LONGEST_ROW = 16384;

  private final int columns;
  private final int firstRow;
  private final int begin;
  private final int end;
  private final Tile tile;

  /**
   * The rows {@code [from, to)} of a block.
   *
   * @param firstRow the number of the block's first row in the matrix
   */
  TiledRows(FloatType type, Coding coding, int columns, int firstRow, int from, int to) {
    this.columns = columns;
    this.firstRow = firstRow;
    this.begin = from * columns;
    this.end = to * columns;
    int capacity = Math.max(LENGTH, Math.min(columns, LONGEST_ROW));
    this.tile = new Tile(type, coding, Math.min(capacity, end - begin));
  }

  /** Raises each row's entry to its largest magnitude. */
  void amax(ByteBuffer weights, float[] amax) {
    for (int index = begin, count; index < end; index += count) {
      count = count(index);
      tile.load(weights, index, count);
      int length = Math.min(columns, count);
      for (int start = 0; start < count; start += length) {
        int row = row(index + start);
        amax[row] = Math.max(amax[row], tile.finiteAmax(weights, index, start, start + length));
      }
    }
  }

  void quantize(ByteBuffer weights, RowScale scales, ByteBuffer codes) {
    if (columns > LONGEST_ROW) {
      for (int index = begin; index < end; index += columns) {
        quantizeLongRow(weights, index, scales, codes);
      }
      return;
    }
    for (int index = begin, count; index < end; index += count) {
      count = count(index);
      tile.load(weights, index, count);
      for (int start = 0; start < count; start += columns) {
        float amax = tile.finiteAmax(weights, index, start, start + columns);
        tile.scale(start, start + columns, scales.scale(row(index + start), amax), amax);
      }
      tile.encode(codes, index, count);
    }
  }

  private void quantizeLongRow(ByteBuffer weights, int begin, RowScale scales, ByteBuffer codes) {
    float amax = 0;
    for (int index = begin, count; index < begin + columns; index += count) {
      count = count(index);
      tile.load(weights, index, count);
      amax = Math.max(amax, tile.finiteAmax(weights, index, 0, count));
    }
    float scale = scales.scale(row(begin), amax);
    for (int index = begin, count; index < begin + columns; index += count) {
      count = count(index);
      tile.load(weights, index, count);
      tile.scale(0, count, scale, amax);
      tile.encode(codes, index, count);
    }
  }

  void dequantize(ByteBuffer codes, float[] scales, ByteBuffer weights) {
    for (int index = begin, count; index < end; index += count) {
      count = count(index);
      int length = Math.min(columns, count);
      for (int start = 0; start < count; start += length) {
        tile.restore(codes, index, start, start + length, scales[row(index + start)]);
      }
      tile.store(weights, index, count);
    }
  }

  /** The error of the restored rows. */
  QuantizationError error(ByteBuffer weights, ByteBuffer codes, float[] scales) {
    for (int index = begin, count; index < end; index += count) {
      count = count(index);
      tile.load(weights, index, count);
      int length = Math.min(columns, count);
      for (int start = 0; start < count; start += length) {
        tile.compare(codes, index, start, start + length, scales[row(index + start)]);
      }
    }
    return tile.error();
  }

  /** The place of the first row in the block. */
  int from() {
    return begin / columns;
  }

  /** The number of weights of the tile that starts at an index. */
  private int count(int index) {
    if (columns > LONGEST_ROW) {
      return Math.min(LENGTH, columns - index % columns);
    }
    return Math.min(Math.max(1, LENGTH / columns) * columns, end - index);
  }

  private int row(int index) {
    return firstRow + index / columns;
  }
}
