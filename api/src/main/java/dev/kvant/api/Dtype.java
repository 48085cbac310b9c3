package dev.kvant.api;

import java.util.Locale;
import java.util.Objects;

/**
 * The numeric type of an operand after quantization, or {@link #NATIVE} to leave it unchanged.
 *
 * <p>An open value type: a backend may define further dtypes. Two dtypes are equal if their names
 * are. Names are lower case; a leading {@code float8_} means {@code fp8_}, so that both common
 * spellings name one dtype.
 *
 * @param name the canonical name, as in {@code int8} or {@code fp8_e4m3fn}
 * @since 0.1.0
 */
public record Dtype(String name) implements Comparable<Dtype> {

  /** Signed 8-bit integers, -128 to 127. */
  public static final Dtype INT8 = new Dtype("int8");

  /** Float8 with 4 exponent and 3 mantissa bits, no infinities, largest value 448. */
  public static final Dtype FP8_E4M3FN = new Dtype("fp8_e4m3fn");

  /** Float8 with 5 exponent and 2 mantissa bits, largest finite value 57344. */
  public static final Dtype FP8_E5M2 = new Dtype("fp8_e5m2");

  /** The operand keeps its original type. */
  public static final Dtype NATIVE = new Dtype("native");

  /**
   * Converts the name to its canonical spelling.
   *
   * @throws NullPointerException if the name is null
   */
  public Dtype {
    Objects.requireNonNull(name, "name");
    name = name.strip().toLowerCase(Locale.ROOT);
    if (name.startsWith("float8_")) {
      name = "fp8_" + name.substring("float8_".length());
    }
  }

  /** The dtype of that name, in any spelling of it. */
  public static Dtype of(String name) {
    return new Dtype(name);
  }

  /** Whether this dtype leaves an operand unchanged. */
  public boolean isNative() {
    return equals(NATIVE);
  }

  @Override
  public int compareTo(Dtype other) {
    return name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return name;
  }
}
