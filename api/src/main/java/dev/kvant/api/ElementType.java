package dev.kvant.api;

/**
 * The type of one element of a stored tensor.
 *
 * @since 0.1.0
 */
public enum ElementType {
  FLOAT64("float64", 8, true),
  FLOAT32("float32", 4, true),
  FLOAT16("float16", 2, true),
  BFLOAT16("bfloat16", 2, true),
  FLOAT8_E4M3FN("float8_e4m3fn", 1, true),
  FLOAT8_E5M2("float8_e5m2", 1, true),
  INT64("int64", 8, false),
  INT32("int32", 4, false),
  INT16("int16", 2, false),
  INT8("int8", 1, false),
  UINT64("uint64", 8, false),
  UINT32("uint32", 4, false),
  UINT16("uint16", 2, false),
  UINT8("uint8", 1, false),
  BOOL("bool", 1, false);

  private final String label;
  private final int bytes;
  private final boolean floatingPoint;

  ElementType(String label, int bytes, boolean floatingPoint) {
    this.label = label;
    this.bytes = bytes;
    this.floatingPoint = floatingPoint;
  }

  /** The name in common use, as in {@code bfloat16}. */
  public String label() {
    return label;
  }

  /** Size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** Whether elements are floating-point numbers. */
  public boolean isFloatingPoint() {
    return floatingPoint;
  }

  @Override
  public String toString() {
    return label;
  }
}
