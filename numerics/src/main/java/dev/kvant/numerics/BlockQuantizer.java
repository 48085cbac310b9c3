package dev.kvant.numerics;

/**
 * Quantizes short blocks of weights to 4 or 8 bits, as ONNX Runtime's {@code MatMulNBits} stores
 * them. A block has a scale, and a zero point if it is asymmetric. Codes are unsigned: {@code q =
 * clamp(round(w * (1 / scale) + zeroPoint), 0, 2^bits - 1)} in float32, halves away from zero.
 *
 * <p>Symmetric: the zero point is {@code 2^(bits-1)} and the scale is {@code e / -2^(bits-1)} with
 * {@code e} the element of the largest magnitude, so that this element gets the lowest code, which
 * has no counterpart. If the largest and the smallest element have the same magnitude, {@code e} is
 * the smallest.
 *
 * <p>Asymmetric: with {@code min} and {@code max} of the block and of 0, the scale is {@code (max -
 * min) / (2^bits - 1)} and the zero point is {@code clamp(round(-min / scale), 0, 2^bits - 1)}.
 *
 * <p>Where the scale would be zero or subnormal it is 1. Source: MLAS of ONNX Runtime 1.32, {@code
 * BlockwiseQuantizer}, whose scale is 0 for a block of zeros.
 *
 * @since 0.1.0
 */
public final class BlockQuantizer {

  private final boolean symmetric;
  private final int middle;
  private final int largest;

  /**
   * Creates a quantizer.
   *
   * @param bits 4 or 8
   * @param symmetric whether all blocks have the zero point {@code 2^(bits-1)}
   * @throws IllegalArgumentException if {@code bits} is neither
   */
  public BlockQuantizer(int bits, boolean symmetric) {
    if (bits != 4 && bits != 8) {
      throw new IllegalArgumentException("bits must be 4 or 8, was " + bits);
    }
    this.symmetric = symmetric;
    this.middle = 1 << (bits - 1);
    this.largest = (1 << bits) - 1;
  }

  /** Whether all blocks have the zero point {@link #middle()}. */
  boolean isSymmetric() {
    return symmetric;
  }

  /** The code in the middle, {@code 2^(bits-1)}. */
  int middle() {
    return middle;
  }

  /** The largest code, {@code 2^bits - 1}. */
  int largest() {
    return largest;
  }

  /**
   * Returns the step of a block that spans all its elements.
   *
   * @param values holds the block
   * @param from the index of its first element
   * @param to the index behind its last
   * @return the step; its scale is negative where a symmetric block's element of the largest
   *     magnitude is positive
   * @throws NonFiniteValueException if a weight is NaN or infinite
   */
  public BlockStep step(float[] values, int from, int to) {
    float min = 0;
    float max = 0;
    for (int i = from; i < to; i++) {
      if (!Float.isFinite(values[i])) {
        throw new NonFiniteValueException(i, values[i]);
      }
      min = Math.min(min, values[i]);
      max = Math.max(max, values[i]);
    }
    if (symmetric) {
      float scale = (max > -min ? max : min) / -middle;
      return Math.abs(scale) < Float.MIN_NORMAL
          ? new BlockStep(1, middle)
          : new BlockStep(scale, middle);
    }
    float scale = (max - min) / largest;
    if (scale == Float.POSITIVE_INFINITY) {
      // Only the difference is too large for float32.
      scale = (float) (((double) max - min) / largest);
    }
    return scale < Float.MIN_NORMAL
        ? new BlockStep(1, 0)
        : new BlockStep(scale, rounded(-(min / scale)));
  }

  /**
   * Returns the code of a weight.
   *
   * @param value the weight
   * @param step its block's step
   * @return from 0 to {@code 2^bits - 1}
   */
  public int encode(float value, BlockStep step) {
    return rounded(value * (1 / step.scale()) + step.zeroPoint());
  }

  /** Halves away from zero; what is below zero becomes zero in any case. */
  private int rounded(float code) {
    return (int) Math.max(0, Math.min(largest, Math.floor(code + 0.5)));
  }

  /**
   * Returns the value of a code.
   *
   * @param code from 0 to {@code 2^bits - 1}
   * @param step its block's step
   * @return {@code (code - zeroPoint) * scale}
   */
  public float decode(int code, BlockStep step) {
    return (code - step.zeroPoint()) * step.scale();
  }
}
