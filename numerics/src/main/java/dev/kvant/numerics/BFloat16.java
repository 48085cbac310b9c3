package dev.kvant.numerics;

/**
 * The bfloat16 format: the upper half of a float32, with 1 sign, 8 exponent and 7 fraction bits.
 *
 * @since 0.1.0
 */
public final class BFloat16 {

  private BFloat16() {}

  /**
   * Converts to float32; every value is exact, NaN keeps its sign and payload.
   *
   * @param bfloat the 16 bits
   * @return the value
   */
  public static float toFloat(short bfloat) {
    return Float.intBitsToFloat(bfloat << 16);
  }

  /**
   * Converts from float32, rounding half to even.
   *
   * <p>Magnitudes from 2<sup>128</sup> - 2<sup>119</sup> on become infinities; subnormal values are
   * kept. NaN becomes a quiet NaN with its sign and the upper bits of its payload.
   *
   * @param value any float32
   * @return the 16 bits
   */
  public static short fromFloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }
}
