package dev.kvant.numerics;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * A few consecutive weights of a block, in arrays that fit a near cache.
 *
 * <p>The weights are copied into an array once and processed there, one step for each loop: see
 * {@link Coding}. An element has the same place in the tile as in the block, counted from the
 * tile's first index.
 */
final class Tile {

  /**
   * The number of weights that are encoded or decoded at a time: their arrays fit a first-level
   * cache.
   */
  private static final int STEP = 512;

  private final FloatType type;
  private final Coding coding;
  private final float[] values;
  private final int[] bits;
  private final byte[] codes;
  private final float[] restored;

  /** Floats are written through one view and their bits read through the other, in bulk. */
  private final FloatBuffer floatView;

  private final IntBuffer intView;

  private double signal;
  private double quantizedSignal;
  private double noise;

  Tile(FloatType type, Coding coding, int capacity) {
    this.type = type;
    this.coding = coding;
    int step = Math.min(STEP, capacity);
    values = new float[capacity];
    bits = new int[step];
    codes = new byte[step];
    restored = new float[step];
    ByteBuffer shared = ByteBuffer.allocate(step * Float.BYTES).order(ByteOrder.nativeOrder());
    floatView = shared.asFloatBuffer();
    intView = shared.asIntBuffer();
  }

  /** Reads weights of a block from an element index on. */
  void load(ByteBuffer block, int index, int count) {
    type.load(block, index, values, count);
  }

  /**
   * The largest magnitude of the weights {@code [from, to)}, which were loaded from an index of a
   * block on.
   *
   * @throws NonFiniteValueException if one is NaN or infinite
   */
  float finiteAmax(ByteBuffer block, int index, int from, int to) {
    float amax = 0;
    for (int i = from; i < to; i++) {
      amax = Math.max(amax, Math.abs(values[i]));
    }
    if (!type.isFinite(amax)) {
      throw firstNonFinite(block, index + from, index + to);
    }
    return amax;
  }

  private NonFiniteValueException firstNonFinite(ByteBuffer block, int from, int to) {
    int index = from;
    while (index < to - 1 && Float.isFinite(type.get(block, index))) {
      index++;
    }
    return new NonFiniteValueException(index, type.get(block, index));
  }

  /** Raises entries of an array, from an index on, to the magnitudes of the weights. */
  void raiseEach(int from, int to, float[] amax, int index) {
    for (int i = from; i < to; i++) {
      amax[index + i - from] = Math.max(amax[index + i - from], Math.abs(values[i]));
    }
  }

  /** Prepares the weights {@code [from, to)}, which share a scale, for {@link #encode}. */
  void scale(int from, int to, float scale, float amax) {
    coding.scale(values, from, to, scale, amax);
  }

  /** Prepares the weights {@code [from, to)}, each with a scale of an array from an index on. */
  void scaleEach(int from, int to, float[] scales, int index) {
    coding.scaleEach(values, from, to, scales, index);
  }

  /** Encodes the scaled weights and writes the codes to a block from an index on. */
  void encode(ByteBuffer block, int index, int count) {
    for (int done = 0; done < count; done += STEP) {
      int step = Math.min(STEP, count - done);
      floatView.put(0, values, done, step);
      intView.get(0, bits, 0, step);
      coding.encode(bits, step, codes);
      block.put(index + done, codes, 0, step);
    }
  }

  /** Restores the weights {@code [from, to)}, which share a scale, from a block of codes. */
  void restore(ByteBuffer block, int index, int from, int to, float scale) {
    for (int done = from; done < to; done += STEP) {
      int step = Math.min(STEP, to - done);
      block.get(index + done, codes, 0, step);
      coding.decode(codes, step, scale, values, done);
    }
  }

  /** Writes the restored weights to a block from an element index on. */
  void store(ByteBuffer block, int index, int count) {
    type.store(values, count, block, index);
  }

  /** Compares the weights {@code [from, to)}, which share a scale, with a block of codes. */
  void compare(ByteBuffer block, int index, int from, int to, float scale) {
    for (int done = from; done < to; done += STEP) {
      int step = Math.min(STEP, to - done);
      block.get(index + done, codes, 0, step);
      coding.decode(codes, step, scale, restored, 0);
      compare(done, step);
    }
  }

  /** Compares the weights {@code [from, to)}, each with a scale of an array from an index on. */
  void compareEach(ByteBuffer block, int index, int from, int to, float[] scales, int scale) {
    for (int done = from; done < to; done += STEP) {
      int step = Math.min(STEP, to - done);
      block.get(index + done, codes, 0, step);
      coding.decode(codes, step, 1, restored, 0);
      int first = scale + done - from;
      for (int i = 0; i < step; i++) {
        restored[i] *= scales[first + i];
      }
      compare(done, step);
    }
  }

  private void compare(int from, int count) {
    for (int i = 0; i < count; i++) {
      double value = values[from + i];
      double approximation = restored[i];
      signal += value * value;
      quantizedSignal += approximation * approximation;
      noise += (value - approximation) * (value - approximation);
    }
  }

  /** The sum of all comparisons. */
  QuantizationError error() {
    return new QuantizationError(signal, quantizedSignal, noise);
  }
}
