package dev.kvant.numerics.observer;

import dev.kvant.numerics.QuantizedType;

/**
 * The values of an 8-bit type scaled to a range.
 *
 * @since 0.1.0
 */
public enum Grid {
  /** Integers from 0 to 255 over any range that contains 0. */
  UINT8_ASYMMETRIC {
    @Override
    public AffineStep step(ValueRange range) {
      double min = Math.min(range.min(), 0);
      double max = Math.max(range.max(), 0);
      double scale = (max - min) / 255;
      float rounded = rounded(scale);
      return scale == 0 || scale >= Float.MIN_NORMAL
          ? new AffineStep(rounded, scale == 0 ? 0 : (int) Math.rint(-min / scale))
          : new AffineStep(rounded, (int) Math.rint(-min / rounded));
    }

    @Override
    int code(double value, AffineStep step) {
      return (int) Math.max(0, Math.min(255, Math.rint(value / step.scale()) + step.zeroPoint()));
    }

    @Override
    double value(int code) {
      return code;
    }
  },
  /**
   * Integers over a range with center 0 that ends at -127 and 127. Values below the range get -128,
   * as in PyTorch and ONNX.
   */
  INT8_SYMMETRIC {
    @Override
    public AffineStep step(ValueRange range) {
      return new AffineStep(rounded(2.0 * range.amax() / 254), 0);
    }

    @Override
    int code(double value, AffineStep step) {
      return (int) Math.max(-128, Math.min(127, Math.rint(value / step.scale())));
    }

    @Override
    double value(int code) {
      return code;
    }
  },
  /** Float8 with 4 exponent bits, its largest value 448 at the end of the range. */
  FLOAT8_E4M3FN {
    @Override
    public AffineStep step(ValueRange range) {
      return floatStep(QuantizedType.FLOAT8_E4M3FN, range);
    }

    @Override
    int code(double value, AffineStep step) {
      return floatCode(QuantizedType.FLOAT8_E4M3FN, value, step);
    }

    @Override
    double value(int code) {
      return QuantizedType.FLOAT8_E4M3FN.decode((byte) code);
    }
  },
  /** Float8 with 5 exponent bits, its largest value 57344 at the end of the range. */
  FLOAT8_E5M2 {
    @Override
    public AffineStep step(ValueRange range) {
      return floatStep(QuantizedType.FLOAT8_E5M2, range);
    }

    @Override
    int code(double value, AffineStep step) {
      return floatCode(QuantizedType.FLOAT8_E5M2, value, step);
    }

    @Override
    double value(int code) {
      return QuantizedType.FLOAT8_E5M2.decode((byte) code);
    }
  };

  /**
   * Returns the step that makes this type span a range.
   *
   * <p>uint8: {@code scale = (max - min) / 255} and {@code zeroPoint = rint(-min / scale)}, with
   * the range widened to contain 0. int8: {@code scale = 2 amax / 254}, zero point 0. float8:
   * {@code scale = amax / 448} or {@code amax / 57344}. All in float64, the scale rounded to
   * float32 at the end, up if it is below 2<sup>-126</sup>; 1 and zero point 0 for a range of 0
   * alone. Source of the integer formulas: {@code compute_scale_zp} of onnxruntime.quantization
   * 1.32, which has the scale 1 below 2<sup>-126</sup> and so loses all values.
   *
   * @param range the range
   * @return the step
   */
  public abstract AffineStep step(ValueRange range);

  /** The code nearest to a value; values out of range get the code at that end. */
  abstract int code(double value, AffineStep step);

  /** The value of a code in steps, before the zero point is subtracted. */
  abstract double value(int code);

  /** The value after quantization and dequantization. */
  final double restore(double value, AffineStep step) {
    return (value(code(value, step)) - step.zeroPoint()) * step.scale();
  }

  /**
   * Returns whether the middle of the range is always 0.
   *
   * @return true for all but {@link #UINT8_ASYMMETRIC}
   */
  public boolean isSymmetric() {
    return this != UINT8_ASYMMETRIC;
  }

  /**
   * Returns whether all values are the same distance apart.
   *
   * @return true for {@link #UINT8_ASYMMETRIC} and {@link #INT8_SYMMETRIC}
   */
  public boolean isInteger() {
    return this == UINT8_ASYMMETRIC || this == INT8_SYMMETRIC;
  }

  private static AffineStep floatStep(QuantizedType type, ValueRange range) {
    return new AffineStep(rounded((double) range.amax() / type.max()), 0);
  }

  /** To float32; a subnormal one up, so that the range does not become smaller by much. */
  private static float rounded(double scale) {
    float rounded = (float) scale;
    if (scale == 0) {
      return 1;
    }
    return scale < Float.MIN_NORMAL && rounded < scale ? Math.nextUp(rounded) : rounded;
  }

  private static int floatCode(QuantizedType type, double value, AffineStep step) {
    double scaled = value / step.scale();
    return type.encode((float) Math.max(-type.max(), Math.min(type.max(), scaled)));
  }
}
