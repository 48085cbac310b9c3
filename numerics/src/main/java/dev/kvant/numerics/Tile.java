package dev.kvant.numerics;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * A few consecutive weights of a block in arrays that stay in a near cache.
 *
 * <p>The weights are copied into an array once and go from array to array, one step a loop: see
 * {@link Coding}.
 */
final class Tile {

  /** The most weights in a tile: all arrays together have 68 kB then. */
  static final int CAPACITY = 4096;

  private final FloatType type;
  private final Coding coding;
  private final float[] values;
  private final float[] scaled;
  private final int[] bits;
  private final byte[] codes;

  /** Floats are written through one view and their bits read through the other, in bulk. */
  private final FloatBuffer floatView;

  private final IntBuffer intView;

  Tile(FloatType type, Coding coding, int capacity) {
    this.type = type;
    this.coding = coding;
    values = new float[capacity];
    scaled = new float[capacity];
    bits = new int[capacity];
    codes = new byte[capacity];
    ByteBuffer shared = ByteBuffer.allocate(capacity * Float.BYTES).order(ByteOrder.nativeOrder());
    floatView = shared.asFloatBuffer();
    intView = shared.asIntBuffer();
  }

  /** Reads weights of a block from an element index on. */
  void load(ByteBuffer block, int index, int count) {
    type.load(block, index, values, count);
  }

  /** The largest magnitude; not {@linkplain FloatType#isFinite finite} if any weight is not. */
  float amax(int from, int to) {
    float amax = 0;
    for (int i = from; i < to; i++) {
      amax = Math.max(amax, Math.abs(values[i]));
    }
    return amax;
  }

  /** Prepares the weights {@code [from, to)}, which share a scale, for {@link #encode}. */
  void scale(int from, int to, float scale, float amax) {
    coding.scale(values, from, to, scale, amax, scaled);
  }

  /** Encodes the scaled weights and writes the codes to a block from an index on. */
  void encode(ByteBuffer block, int index, int count) {
    floatView.put(0, scaled, 0, count);
    intView.get(0, bits, 0, count);
    coding.encode(bits, count, codes);
    block.put(index, codes, 0, count);
  }

  /** Reads codes of a block from an index on. */
  void loadCodes(ByteBuffer block, int index, int count) {
    block.get(index, codes, 0, count);
  }

  /** Restores the weights {@code [from, to)}, which share a scale, from their codes. */
  void restore(int from, int to, float scale) {
    coding.decode(codes, from, to, scale, scaled);
  }

  /** Writes restored weights to a block from an element index on. */
  void storeRestored(ByteBuffer block, int index, int count) {
    type.store(scaled, count, block, index);
  }

  /** Compares the weights {@code [from, to)} with the restored ones. */
  QuantizationError error(int from, int to) {
    double signal = 0;
    double quantizedSignal = 0;
    double noise = 0;
    for (int i = from; i < to; i++) {
      double value = values[i];
      double restored = scaled[i];
      signal += value * value;
      quantizedSignal += restored * restored;
      noise += (value - restored) * (value - restored);
    }
    return new QuantizationError(signal, quantizedSignal, noise);
  }
}
