package dev.kvant.gguf;

import java.util.Arrays;
import java.util.Optional;

/**
 * The types of metadata in GGUF files, with their numbers there.
 *
 * @since 0.1.0
 */
public enum GgufValueType {
  /** Unsigned, 8 bits. */
  UINT8(0, 1),
  /** Signed, 8 bits. */
  INT8(1, 1),
  /** Unsigned, 16 bits. */
  UINT16(2, 2),
  /** Signed, 16 bits. */
  INT16(3, 2),
  /** Unsigned, 32 bits. */
  UINT32(4, 4),
  /** Signed, 32 bits. */
  INT32(5, 4),
  /** IEEE 754 binary32. */
  FLOAT32(6, 4),
  /** A byte, 0 or 1. */
  BOOL(7, 1),
  /** A length in bytes in 64 bits, and text in UTF-8. */
  STRING(8, 0),
  /** The type of the elements in 32 bits, their number in 64 bits, and the elements. */
  ARRAY(9, 0),
  /** Unsigned, 64 bits. */
  UINT64(10, 8),
  /** Signed, 64 bits. */
  INT64(11, 8),
  /** IEEE 754 binary64. */
  FLOAT64(12, 8);

  private final int number;
  private final int bytes;

  GgufValueType(int number, int bytes) {
    this.number = number;
    this.bytes = bytes;
  }

  /** The type of a number in a file; empty if there is none. */
  static Optional<GgufValueType> of(long number) {
    return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
  }

  /** What a file calls it. */
  int number() {
    return number;
  }

  /** The size of a value in bytes; 0 if it differs from value to value. */
  int bytes() {
    return bytes;
  }

  /** Whether values are integers. */
  boolean isInteger() {
    return switch (this) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
      case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> false;
    };
  }

  /** Whether values are integers of 0 or more. */
  boolean isUnsigned() {
    return this == UINT8 || this == UINT16 || this == UINT32 || this == UINT64;
  }
}
