package com.example.bf16;

import dev.kvant.api.QuantizationException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Rounds float32 to bfloat16, its upper 16 bits: to the nearest, ties to even. */
final class Rounding {

  private final String tensor;
  private double power;
  private double noise;

  /**
   * @param tensor what is rounded, for messages
   */
  Rounding(String tensor) {
    this.tensor = tensor;
  }

  /**
   * Rounds the elements of a buffer.
   *
   * @throws QuantizationException if one is NaN or infinite, before or after
   */
  ByteBuffer apply(ByteBuffer floats) {
    ByteBuffer rounded =
        ByteBuffer.allocate(floats.remaining() / 2).order(ByteOrder.LITTLE_ENDIAN);
    while (floats.hasRemaining()) {
      float value = floats.getFloat();
      int bits = Float.floatToRawIntBits(value);
      int upper = (bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16;
      float back = Float.intBitsToFloat(upper << 16);
      if (!Float.isFinite(value) || !Float.isFinite(back)) {
        throw new QuantizationException("%s holds %s, which has no bfloat16".formatted(tensor, value));
      }
      power += (double) value * value;
      noise += ((double) value - back) * ((double) value - back);
      rounded.putShort((short) upper);
    }
    return rounded.flip();
  }

  double sqnrDecibels() {
    return noise == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10(power / noise);
  }
}
