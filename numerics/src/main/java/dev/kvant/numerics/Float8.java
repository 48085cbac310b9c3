package dev.kvant.numerics;

/** A float8 format: {@code q = cast(clamp(w / scale, -max, max))}, half to even. */
final class Float8 implements Coding {
  /**
   * 4 exponent bits of bias 7, 3 fraction bits; no infinities, NaN is the code 0x7f of either sign.
   * The largest finite value is 448, the smallest positive one 2<sup>-9</sup>.
   */
  static final Float8 E4M3FN = new Float8(3, 7, 0x7e, 0x7e, 0x7f);

  /**
   * 5 exponent bits of bias 15, 2 fraction bits; infinities and NaN as in IEEE 754. The largest
   * finite value is 57344, the smallest positive one 2<sup>-16</sup>.
   */
  static final Float8 E5M2 = new Float8(2, 15, 0x7b, 0x7c, 0x7f);

  private final int droppedBits;
  private final int rebias;
  private final int smallestNormal;
  private final float subnormalMagic;
  private final int maxCode;
  private final int overflowCode;
  private final int nanCode;
  private final float[] values = new float[256];
  private final byte[] saturatedCodes = new byte[1 << 14];

  private Float8(int fractionBits, int bias, int maxCode, int overflowCode, int nanCode) {
    this.droppedBits = 23 - fractionBits;
    this.rebias = (127 - bias) << fractionBits;
    this.smallestNormal = (127 + 1 - bias) << 23;
    // One unit in the last place of this power of two is the smallest positive value.
    this.subnormalMagic = Math.scalb(1f, 23 + 1 - bias - fractionBits);
    this.maxCode = maxCode;
    this.overflowCode = overflowCode;
    this.nanCode = nanCode;
    for (int code = 0; code < 0x80; code++) {
      float value = magnitude(code, fractionBits, bias);
      values[code] = value;
      values[code | 0x80] = -value;
    }
    for (int index = 0; index < saturatedCodes.length; index++) {
      float representative = Float.intBitsToFloat(((index >>> 1) << 19) | (index & 1));
      saturatedCodes[index] = encode(Math.max(-max(), Math.min(max(), representative)));
    }
  }

  private float magnitude(int code, int fractionBits, int bias) {
    if (code > maxCode) {
      return code == overflowCode ? Float.POSITIVE_INFINITY : Float.NaN;
    }
    int exponent = code >>> fractionBits;
    int fraction = code & ((1 << fractionBits) - 1);
    return exponent == 0
        ? Math.scalb((float) fraction, 1 - bias - fractionBits)
        : Math.scalb((float) (fraction | (1 << fractionBits)), exponent - bias - fractionBits);
  }

  @Override
  public float max() {
    return values[maxCode];
  }

  @Override
  public float decode(byte code) {
    return values[code & 0xff];
  }

  @Override
  public byte encode(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 24) & 0x80;
    int magnitude = bits & 0x7fffffff;
    int code;
    if (magnitude > 0x7f800000) {
      code = nanCode;
    } else if (magnitude < smallestNormal) {
      float rounded = Float.intBitsToFloat(magnitude) + subnormalMagic;
      code = Float.floatToRawIntBits(rounded) - Float.floatToRawIntBits(subnormalMagic);
    } else {
      int half = (1 << (droppedBits - 1)) - 1;
      int rounded = (magnitude + half + ((magnitude >>> droppedBits) & 1)) >>> droppedBits;
      code = Math.min(rounded - rebias, overflowCode);
    }
    return (byte) (sign | code);
  }

  @Override
  public void scale(float[] weights, int from, int to, float scale, float amax) {
    for (int i = from; i < to; i++) {
      weights[i] /= scale;
    }
  }

  @Override
  public void scaleEach(float[] weights, int from, int to, float[] scales, int index) {
    for (int i = from; i < to; i++) {
      weights[i] /= scales[index + i - from];
    }
  }

  /**
   * {@inheritDoc}
   *
   * <p>Every boundary between two codes has zeros in the lower 19 of its 32 bits. The upper 13 bits
   * and whether any other bit is set therefore decide. They index a table of 16 kB, which fits a
   * first-level cache.
   */
  @Override
  public void encode(int[] bits, int count, byte[] codes) {
    for (int i = 0; i < count; i++) {
      bits[i] = (bits[i] >>> 19) + ((bits[i] + 0x7ffff) >>> 19);
    }
    byte[] table = saturatedCodes;
    for (int i = 0; i < count; i++) {
      codes[i] = table[bits[i]];
    }
  }

  @Override
  public void decode(byte[] codes, int count, float scale, float[] target, int index) {
    float[] table = values;
    for (int i = 0; i < count; i++) {
      target[index + i] = table[codes[i] & 0xff] * scale;
    }
  }
}
