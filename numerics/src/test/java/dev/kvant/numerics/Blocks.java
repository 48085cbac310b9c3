package dev.kvant.numerics;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/** Blocks of weights for tests, little-endian on the heap. */
final class Blocks {

  private Blocks() {}

  static ByteBuffer of(FloatType type, float... values) {
    ByteBuffer block =
        ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < values.length; i++) {
      put(block, type, i, values[i]);
    }
    return block;
  }

  /** Normally distributed weights, the same for the same count. */
  static ByteBuffer random(FloatType type, int count) {
    Random random = new Random(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return of(type, values);
  }

  static ByteBuffer copyOf(ByteBuffer block) {
    ByteBuffer copy = ByteBuffer.allocate(block.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    copy.put(block.duplicate()).flip();
    return copy;
  }

  static void put(ByteBuffer block, FloatType type, int index, float value) {
    type.store(new float[] {value}, 1, block, index);
  }
}
