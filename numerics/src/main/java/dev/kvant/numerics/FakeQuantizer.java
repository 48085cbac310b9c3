package dev.kvant.numerics;

/**
 * Applies fake quantization: rounds values to those of an 8-bit type scaled to a symmetric range,
 * bit for bit as ModelOpt does.
 *
 * <p>With {@code max} the type's largest value, all in float32 and rounded half to even:
 *
 * <ul>
 *   <li>int8: {@code scale = max / amax}, {@code y = clamp(rint(x * scale), -128, 127) / scale}; 0
 *       for all values where {@code amax} is at most 2<sup>-24</sup>
 *   <li>float8: {@code scale = (1 / amax) * max}, {@code y = cast(clamp(x * scale, -max, max)) * (1
 *       / scale)}; {@code scale} is {@code max} where {@code amax} is at most 2<sup>-24</sup>
 * </ul>
 *
 * <p>Quotients and products are as written: {@code 127 / amax} and {@code 127 * (1 / amax)} differ
 * in their last bits.
 *
 * <p>Widen values of float16 and bfloat16 first, and round the results. Source: {@code
 * modelopt.torch.quantization.tensor_quant} of ModelOpt 0.47, which has no static quantization to
 * float8_e5m2; that follows the formula of float8_e4m3fn.
 *
 * @since 0.1.0
 */
public final class FakeQuantizer {

  /** Ranges up to this magnitude count as empty. */
  private static final float EPSILON = 0x1p-24f;

  private final QuantizedType type;
  private final float multiplier;
  private final float divisor;

  private FakeQuantizer(QuantizedType type, float multiplier, float divisor) {
    this.type = type;
    this.multiplier = multiplier;
    this.divisor = divisor;
  }

  /**
   * A quantizer for one range.
   *
   * @param type the 8-bit type
   * @param amax the magnitude that becomes the type's largest value
   * @return the quantizer
   * @throws IllegalArgumentException if {@code amax} is negative, NaN or infinite
   */
  public static FakeQuantizer of(QuantizedType type, float amax) {
    if (!(amax >= 0 && amax <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException("amax: must be finite and not negative, was " + amax);
    }
    boolean isEmpty = amax <= EPSILON;
    if (type != QuantizedType.INT8) {
      float scale = isEmpty ? type.max() : 1 / amax * type.max();
      return new FakeQuantizer(type, scale, scale);
    }
    float scale = type.max() / amax;
    return isEmpty ? new FakeQuantizer(type, 0, 1) : new FakeQuantizer(type, scale, scale);
  }

  /**
   * Returns the factor of values before rounding.
   *
   * @return the scale; 0 for an empty range of int8
   */
  public float multiplier() {
    return multiplier;
  }

  /**
   * Returns the divisor of codes that restores values.
   *
   * @return the {@linkplain #multiplier() multiplier}, or 1 where that is 0
   */
  public float divisor() {
    return divisor;
  }

  /**
   * Returns the code of a value.
   *
   * @param value a finite value; beyond the range it gets the code at that end
   * @return the code
   */
  public byte encode(float value) {
    return type.encode(clamped(value));
  }

  /**
   * Returns the value after fake quantization.
   *
   * @param value the value; NaN stays NaN
   * @return the nearest value of the scaled type, in float32
   */
  public float round(float value) {
    float clamped = clamped(value);
    return type == QuantizedType.INT8
        ? (float) Math.rint(clamped) / divisor
        : type.decode(type.encode(clamped)) * (1 / divisor);
  }

  private float clamped(float value) {
    float min = type == QuantizedType.INT8 ? Byte.MIN_VALUE : -type.max();
    return Math.max(min, Math.min(type.max(), value * multiplier));
  }
}
