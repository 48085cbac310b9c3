package dev.kvant.api;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The type of the elements of a stored tensor.
 *
 * <p>An open value type: a format may define further element types, among them types whose elements
 * share bytes. A block of {@code blockElements} elements occupies {@code blockBytes} bytes: 1
 * element in 4 bytes for {@link #FLOAT32}, 2 in 1 byte for {@link #INT4}, 32 in 34 bytes for blocks
 * of 8-bit integers with one float16 scale each. Two element types are equal when all four
 * components are.
 *
 * @param label the name in common use, as in {@code bfloat16}
 * @param blockElements the number of elements that share a block, at least 1
 * @param blockBytes the size of a block in bytes, at least 1
 * @param isFloatingPoint whether elements are floating-point numbers
 * @since 0.1.0
 */
public record ElementType(
    String label, int blockElements, int blockBytes, boolean isFloatingPoint) {

  /** IEEE 754 binary64. */
  public static final ElementType FLOAT64 = floatingPoint("float64", 8);

  /** IEEE 754 binary32. */
  public static final ElementType FLOAT32 = floatingPoint("float32", 4);

  /** IEEE 754 binary16. */
  public static final ElementType FLOAT16 = floatingPoint("float16", 2);

  /** The upper half of a {@link #FLOAT32}. */
  public static final ElementType BFLOAT16 = floatingPoint("bfloat16", 2);

  /** Float8 with 4 exponent and 3 mantissa bits, no infinities, largest value 448. */
  public static final ElementType FLOAT8_E4M3FN = floatingPoint("float8_e4m3fn", 1);

  /** Float8 with 5 exponent and 2 mantissa bits, largest finite value 57344. */
  public static final ElementType FLOAT8_E5M2 = floatingPoint("float8_e5m2", 1);

  /** Signed integers of 64 bits. */
  public static final ElementType INT64 = integer("int64", 8);

  /** Signed integers of 32 bits. */
  public static final ElementType INT32 = integer("int32", 4);

  /** Signed integers of 16 bits. */
  public static final ElementType INT16 = integer("int16", 2);

  /** Signed integers of 8 bits. */
  public static final ElementType INT8 = integer("int8", 1);

  /** Signed integers of 4 bits, two in a byte, the first in the low half. */
  public static final ElementType INT4 = new ElementType("int4", 2, 1, false);

  /** Unsigned integers of 64 bits. */
  public static final ElementType UINT64 = integer("uint64", 8);

  /** Unsigned integers of 32 bits. */
  public static final ElementType UINT32 = integer("uint32", 4);

  /** Unsigned integers of 16 bits. */
  public static final ElementType UINT16 = integer("uint16", 2);

  /** Unsigned integers of 8 bits. */
  public static final ElementType UINT8 = integer("uint8", 1);

  /** Unsigned integers of 4 bits, two in a byte, the first in the low half. */
  public static final ElementType UINT4 = new ElementType("uint4", 2, 1, false);

  /** Truth values, one in a byte. */
  public static final ElementType BOOL = integer("bool", 1);

  private static final List<ElementType> STANDARD =
      List.of(
          FLOAT64,
          FLOAT32,
          FLOAT16,
          BFLOAT16,
          FLOAT8_E4M3FN,
          FLOAT8_E5M2,
          INT64,
          INT32,
          INT16,
          INT8,
          INT4,
          UINT64,
          UINT32,
          UINT16,
          UINT8,
          UINT4,
          BOOL);

  public ElementType {
    Objects.requireNonNull(label, "label");
    if (blockElements < 1 || blockBytes < 1) {
      throw new IllegalArgumentException(
          "%s: a block has at least 1 element and 1 byte, not %d and %d"
              .formatted(label, blockElements, blockBytes));
    }
  }

  private static ElementType floatingPoint(String label, int bytes) {
    return new ElementType(label, 1, bytes, true);
  }

  private static ElementType integer(String label, int bytes) {
    return new ElementType(label, 1, bytes, false);
  }

  /** The element types that this class defines, in the order of their definitions. */
  public static List<ElementType> standard() {
    return STANDARD;
  }

  /**
   * The standard element type of that label.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static ElementType of(String label) {
    return find(label)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "'%s' is not a standard element type; use one of %s"
                        .formatted(label, STANDARD)));
  }

  /** The standard element type of that label; empty if there is none. */
  public static Optional<ElementType> find(String label) {
    Objects.requireNonNull(label, "label");
    return STANDARD.stream().filter(type -> type.label.equals(label)).findFirst();
  }

  /** The size of an element in bits, the block's scales included: 8.5 for 32 in 34 bytes. */
  public double bits() {
    return 8.0 * blockBytes / blockElements;
  }

  /**
   * The size of one element in bytes.
   *
   * @throws UnsupportedOperationException if elements share bytes
   */
  public int bytes() {
    if (blockElements != 1) {
      throw new UnsupportedOperationException(
          "elements of type %s share bytes: %d elements occupy %d"
              .formatted(label, blockElements, blockBytes));
    }
    return blockBytes;
  }

  /**
   * The size of that many elements in bytes; a block that is not full counts whole.
   *
   * @throws ArithmeticException if it exceeds 2^63 - 1
   */
  public long bytes(long elements) {
    return Math.multiplyExact(-Math.floorDiv(-elements, (long) blockElements), (long) blockBytes);
  }

  @Override
  public String toString() {
    return label;
  }
}
