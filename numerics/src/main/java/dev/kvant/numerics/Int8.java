package dev.kvant.numerics;

/** Signed 8-bit integers, half to even. */
final class Int8 implements Coding {

  /** {@code q = clamp(rint(w / scale), -128, 127)}. */
  static final Int8 DIVIDING = new Int8(false);

  /** {@code q = clamp(rint(w * (1 / scale)), -128, 127)}. */
  static final Int8 MULTIPLYING = new Int8(true);

  /** 1.5 * 2^23: its unit in the last place is 1, so that adding it rounds half to even. */
  private static final float MAGIC = 0x1.8p23f;

  private static final int MAGIC_BITS = Float.floatToRawIntBits(MAGIC);

  /** Sums of the magic number with less than this keep its exponent. */
  private static final float MAGIC_RANGE = 0x1p22f;

  private final boolean multiplies;

  private Int8(boolean multiplies) {
    this.multiplies = multiplies;
  }

  @Override
  public float max() {
    return Byte.MAX_VALUE;
  }

  @Override
  public byte encode(float value) {
    return (byte) Math.max(Byte.MIN_VALUE, Math.min(Byte.MAX_VALUE, (int) Math.rint(value)));
  }

  @Override
  public float decode(byte code) {
    return code;
  }

  @Override
  public void scale(float[] values, int from, int to, float scale, float amax) {
    if (!multiplies) {
      divide(values, from, to, scale);
      return;
    }
    float reciprocal = 1 / scale;
    if (amax * reciprocal < MAGIC_RANGE) {
      for (int i = from; i < to; i++) {
        values[i] = values[i] * reciprocal + MAGIC;
      }
    } else {
      for (int i = from; i < to; i++) {
        values[i] = clamp(values[i] * reciprocal) + MAGIC;
      }
    }
  }

  private static void divide(float[] values, int from, int to, float scale) {
    for (int i = from; i < to; i++) {
      values[i] = clamp(values[i] / scale) + MAGIC;
    }
  }

  @Override
  public void scaleEach(float[] values, int from, int to, float[] scales, int index) {
    if (multiplies) {
      for (int i = from; i < to; i++) {
        values[i] = clamp(values[i] * (1 / scales[index + i - from])) + MAGIC;
      }
    } else {
      for (int i = from; i < to; i++) {
        values[i] = clamp(values[i] / scales[index + i - from]) + MAGIC;
      }
    }
  }

  private static float clamp(float value) {
    return Math.max(Byte.MIN_VALUE, Math.min(Byte.MAX_VALUE, value));
  }

  @Override
  public void encode(int[] bits, int count, byte[] codes) {
    for (int i = 0; i < count; i++) {
      int above = bits[i] - (MAGIC_BITS + Byte.MAX_VALUE);
      int notAbove = above & (above >> 31);
      int overMin = notAbove + (Byte.MAX_VALUE - Byte.MIN_VALUE);
      bits[i] = (overMin & ~(overMin >> 31)) + Byte.MIN_VALUE;
    }
    for (int i = 0; i < count; i++) {
      codes[i] = (byte) bits[i];
    }
  }

  @Override
  public void decode(byte[] codes, int count, float scale, float[] values, int index) {
    for (int i = 0; i < count; i++) {
      values[index + i] = codes[i] * scale;
    }
  }
}
