package dev.kvant.numerics;

/**
 * Quantizes short blocks of weights symmetrically to 4 or 8 bits, as ONNX Runtime's {@code
 * MatMulNBits} stores them.
 *
 * <p>A block has one scale, {@code e / -2^(bits-1)} with {@code e} its element of the largest
 * magnitude, so that this element gets the lowest code, which has no counterpart; 1 for a block of
 * zeros. Codes are unsigned: {@code q = clamp(rint(w / scale) + 2^(bits-1), 0, 2^bits - 1)}.
 * Source: MLAS, {@code BlockwiseQuantizer}, symmetric.
 *
 * @since 0.1.0
 */
public final class BlockQuantizer {

  private final int bits;
  private final int zeroPoint;

  /**
   * Creates a quantizer.
   *
   * @param bits 4 or 8
   * @throws IllegalArgumentException if it is neither
   */
  public BlockQuantizer(int bits) {
    if (bits != 4 && bits != 8) {
      throw new IllegalArgumentException("bits must be 4 or 8, was " + bits);
    }
    this.bits = bits;
    this.zeroPoint = 1 << (bits - 1);
  }

  /**
   * Returns the scale of a block.
   *
   * @param values holds the block
   * @param from the index of its first element
   * @param to the index behind its last
   * @return the real value of one unit of the code, not zero; negative where the element of the
   *     largest magnitude is positive
   * @throws NonFiniteValueException if a weight is NaN or infinite
   */
  public float scale(float[] values, int from, int to) {
    float extreme = 0;
    for (int i = from; i < to; i++) {
      if (!Float.isFinite(values[i])) {
        throw new NonFiniteValueException(i, values[i]);
      }
      if (Math.abs(values[i]) > Math.abs(extreme)) {
        extreme = values[i];
      }
    }
    float scale = extreme / -zeroPoint;
    return Math.abs(scale) < Float.MIN_NORMAL ? 1 : scale;
  }

  /**
   * Returns the code of a weight.
   *
   * @param value the weight
   * @param scale its block's scale
   * @return from 0 to {@code 2^bits - 1}
   */
  public int encode(float value, float scale) {
    return Math.max(0, Math.min((1 << bits) - 1, (int) Math.rint(value / scale) + zeroPoint));
  }

  /**
   * Returns the value of a code.
   *
   * @param code from 0 to {@code 2^bits - 1}
   * @param scale its block's scale
   * @return {@code (code - 2^(bits-1)) * scale}
   */
  public float decode(int code, float scale) {
    return (code - zeroPoint) * scale;
  }
}
