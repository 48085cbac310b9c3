package dev.kvant.numerics;

import java.util.Arrays;
import java.util.Optional;

/**
 * The 8-bit types that weights are quantized to.
 *
 * @since 0.1.0
 */
public enum QuantizedType {
  /** Signed integers from -128 to 127. */
  INT8("int8"),
  /**
   * 4 exponent and 3 fraction bits, no infinities: the format {@code E4M3} of the OCP 8-bit
   * floating point specification (2023), {@code torch.float8_e4m3fn}.
   */
  FLOAT8_E4M3FN("float8_e4m3fn"),
  /**
   * 5 exponent and 2 fraction bits, infinities and NaN as in IEEE 754: the format {@code E5M2} of
   * the OCP 8-bit floating point specification (2023), {@code torch.float8_e5m2}.
   */
  FLOAT8_E5M2("float8_e5m2");

  private final String label;

  QuantizedType(String label) {
    this.label = label;
  }

  /**
   * Returns the type of a label.
   *
   * @param label the common name, as in {@code float8_e4m3fn}
   * @return the type; empty for any other label
   */
  public static Optional<QuantizedType> find(String label) {
    return Arrays.stream(values()).filter(type -> type.label.equals(label)).findFirst();
  }

  /**
   * Returns the name in common use.
   *
   * @return as in {@code float8_e4m3fn}
   */
  public String label() {
    return label;
  }

  /**
   * Returns the largest finite value.
   *
   * @return 127, 448 or 57344
   */
  public float max() {
    return coding().max();
  }

  /**
   * Converts a float32, rounding half to even.
   *
   * <p>int8: values beyond the range are clamped to -128 and 127, NaN becomes 0. float8: subnormal
   * values are kept, NaN keeps its sign. A value that is too large after rounding becomes 448 for
   * e4m3fn, as infinities do, and an infinity for e5m2. Source: the casts of torch 2.15 on CPU;
   * those of torch 2.7 turn e4m3fn magnitudes above 464 into NaN.
   *
   * @param value any float32
   * @return the 8 bits
   */
  public byte encode(float value) {
    return coding().encode(value);
  }

  /**
   * Converts to float32; every value is exact.
   *
   * @param code the 8 bits
   * @return the value
   */
  public float decode(byte code) {
    return coding().decode(code);
  }

  Coding coding() {
    return switch (this) {
      case INT8 -> Int8.DIVIDING;
      case FLOAT8_E4M3FN -> Float8.E4M3FN;
      case FLOAT8_E5M2 -> Float8.E5M2;
    };
  }
}
