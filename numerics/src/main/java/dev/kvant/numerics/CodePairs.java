package dev.kvant.numerics;

/**
 * Pairs of int8 codes of weights whose products with uint8 codes a kernel adds in 16 bits.
 *
 * <p>x86-64 processors without VNNI multiply uint8 codes of activations by int8 codes of weights
 * and add the products of two neighbours along the summed axis in int16, which saturates. With
 * codes {@code a} and {@code b} of one sign no sum overflows if {@code 255 (|a| + |b|) <= 32767},
 * that is {@code |a| + |b| <= 128}; codes of different signs never overflow.
 *
 * @since 0.1.0
 */
public final class CodePairs {

  /** The largest sum of the magnitudes of two codes: {@code 32767 / 255}. */
  public static final int LARGEST_SUM = 128;

  /** Keeps the rounding of scales and quotients from undoing a raise. */
  private static final double MARGIN = 1 + 0x1p-20;

  private CodePairs() {}

  /**
   * Whether the products of two codes can overflow.
   *
   * @param one a code
   * @param other its neighbour
   */
  public static boolean overflow(byte one, byte other) {
    return one < 0 == other < 0 && Math.abs(one) + Math.abs(other) > LARGEST_SUM;
  }

  /**
   * The smallest scale, not below the given one, with which two weights do not overflow.
   *
   * <p>Weights {@code (v, w)} of one sign, {@code |v| >= |w|}, whose codes {@code clamp(rint(v /
   * scale), -128, 127)} add up to more than {@link #LARGEST_SUM} need the scale {@code (|v| + |w|)
   * / 128}. If the larger code stays clipped without that, the scale that leaves the other code
   * what is left suffices: {@code |w| / 1.5}, or {@code |w| / 0.5} if both are negative.
   *
   * @param one a weight, finite
   * @param other its neighbour, finite
   * @param scale the real value of one unit of the code, positive
   */
  public static float scale(float one, float other, float scale) {
    boolean isNegative = one < 0;
    if (other < 0 != isNegative) {
      return scale;
    }
    float larger = Math.max(Math.abs(one), Math.abs(other));
    float smaller = Math.min(Math.abs(one), Math.abs(other));
    int largest = isNegative ? -Byte.MIN_VALUE : Byte.MAX_VALUE;
    double sum =
        Math.min(largest, Math.rint(larger / scale))
            + Math.min(largest, Math.rint(smaller / scale));
    if (sum <= LARGEST_SUM) {
      return scale;
    }
    double forBoth = ((double) larger + smaller) / LARGEST_SUM;
    double forSmaller = smaller / (LARGEST_SUM - largest + 0.5);
    return Math.max(scale, (float) (MARGIN * Math.min(forBoth, forSmaller)));
  }
}
