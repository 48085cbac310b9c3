package dev.kvant.numerics;

/**
 * The IEEE 754 binary16 format: 1 sign, 5 exponent and 10 fraction bits.
 *
 * <p>Finite values reach ±65504, the smallest positive one is 2<sup>-24</sup>.
 *
 * @since 0.1.0
 */
public final class Float16 {

  /** 65520, halfway between the largest finite value and 65536: from here on the result is Inf. */
  private static final int OVERFLOW = 0x477ff000;

  private static final int SMALLEST_NORMAL = 0x38800000;
  private static final int INFINITY = 0x7f800000;
  private static final int REBIAS = (127 - 15) << 23;

  private Float16() {}

  /**
   * Converts to float32; every value is exact.
   *
   * <p>NaN stays NaN with its sign and payload, infinities stay infinities. Source: IEEE 754-2019,
   * 3.4.
   *
   * @param half the 16 bits
   * @return the value
   */
  public static float toFloat(short half) {
    if ((half & 0x7c00) == 0x7c00) {
      return Float.intBitsToFloat(shifted(half) | INFINITY);
    }
    return toFloatBeyondMax(half);
  }

  /**
   * Converts finite values to float32, and NaN and infinities to values beyond ±65504: those that
   * the largest exponent would mean if it were not reserved.
   */
  static float toFloatBeyondMax(short half) {
    // The exponent is off by 2^112; a product corrects normal and subnormal values.
    return Float.intBitsToFloat(shifted(half)) * 0x1p112f;
  }

  /** Sign, exponent and fraction at their places in a float32, the exponent's bias unchanged. */
  private static int shifted(short half) {
    return ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
  }

  /**
   * Converts from float32, rounding half to even.
   *
   * <p>Magnitudes of 65520 and more become infinities, those of 2<sup>-25</sup> and less zeros of
   * the same sign. NaN becomes a quiet NaN with its sign and the upper bits of its payload. Source:
   * IEEE 754-2019, 4.3.1 and 5.4.2.
   *
   * @param value any float32
   * @return the 16 bits
   */
  public static short fromFloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    int magnitude = bits & 0x7fffffff;
    int half;
    if (magnitude > INFINITY) {
      half = 0x7e00 | ((magnitude >>> 13) & 0x3ff);
    } else if (magnitude >= OVERFLOW) {
      half = 0x7c00;
    } else if (magnitude < SMALLEST_NORMAL) {
      // One unit in the last place of 0.5 is the smallest subnormal, so the sum rounds as needed.
      float rounded = Float.intBitsToFloat(magnitude) + 0.5f;
      half = Float.floatToRawIntBits(rounded) - Float.floatToRawIntBits(0.5f);
    } else {
      half = (magnitude - REBIAS + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    }
    return (short) (sign | half);
  }
}
