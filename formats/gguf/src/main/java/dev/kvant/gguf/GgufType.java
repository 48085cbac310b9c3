package dev.kvant.gguf;

import dev.kvant.api.ElementType;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * The types of tensors in GGUF files, with their numbers there. A type of blocks stores the values
 * of a row in blocks of equal size, each with scales of its own.
 *
 * @since 0.1.0
 */
public enum GgufType {
  /** IEEE 754 binary32. */
  F32(0, ElementType.FLOAT32),
  /** IEEE 754 binary16. */
  F16(1, ElementType.FLOAT16),
  /** 4 bits, symmetric, 32 values with one scale. */
  Q4_0(2, 32, 18),
  /** 4 bits, 32 values with a scale and a minimum. */
  Q4_1(3, 32, 20),
  /** 5 bits, symmetric, 32 values with one scale. */
  Q5_0(6, 32, 22),
  /** 5 bits, 32 values with a scale and a minimum. */
  Q5_1(7, 32, 24),
  /** 8 bits, symmetric, 32 values with one scale. */
  Q8_0(8, 32, 34),
  /** 8 bits, 32 values with a scale and a sum. */
  Q8_1(9, 32, 40),
  /** 2 bits, 256 values, 16 scales and minima of 4 bits. */
  Q2_K(10, 256, 84),
  /** 3 bits, 256 values, 16 scales of 6 bits. */
  Q3_K(11, 256, 110),
  /** 4 bits, 256 values, 8 scales and minima of 6 bits. */
  Q4_K(12, 256, 144),
  /** 5 bits, 256 values, 8 scales and minima of 6 bits. */
  Q5_K(13, 256, 176),
  /** 6 bits, 256 values, 16 scales of 8 bits. */
  Q6_K(14, 256, 210),
  /** 8 bits, 256 values with one scale, for intermediate results. */
  Q8_K(15, 256, 292),
  /** About 2.06 bits, vectors of a table. */
  IQ2_XXS(16, 256, 66),
  /** About 2.31 bits, vectors of a table. */
  IQ2_XS(17, 256, 74),
  /** About 3.06 bits, vectors of a table. */
  IQ3_XXS(18, 256, 98),
  /** About 1.56 bits, vectors of a table. */
  IQ1_S(19, 256, 50),
  /** 4 bits, 32 values of a table with one scale. */
  IQ4_NL(20, 32, 18),
  /** About 3.44 bits, vectors of a table. */
  IQ3_S(21, 256, 110),
  /** About 2.56 bits, vectors of a table. */
  IQ2_S(22, 256, 82),
  /** 4 bits, 256 values of a table with 8 scales. */
  IQ4_XS(23, 256, 136),
  /** Signed integers of 8 bits. */
  I8(24, ElementType.INT8),
  /** Signed integers of 16 bits. */
  I16(25, ElementType.INT16),
  /** Signed integers of 32 bits. */
  I32(26, ElementType.INT32),
  /** Signed integers of 64 bits. */
  I64(27, ElementType.INT64),
  /** IEEE 754 binary64. */
  F64(28, ElementType.FLOAT64),
  /** About 1.75 bits, vectors of a table. */
  IQ1_M(29, 256, 56),
  /** The upper half of a binary32. */
  BF16(30, ElementType.BFLOAT16),
  /** Three values, packed by five into a byte. */
  TQ1_0(34, 256, 54),
  /** Three values of 2 bits. */
  TQ2_0(35, 256, 66),
  /** Float4, 32 values with a power of two as their scale. */
  MXFP4(39, 32, 17),
  /** Float4, 64 values with four scales in float8. */
  NVFP4(40, 64, 36),
  /** One bit, 128 values with one scale. */
  Q1_0(41, 128, 18);

  private final int number;

  @SuppressWarnings("ImmutableEnumChecker") // A record of a text and numbers.
  private final ElementType elementType;

  GgufType(int number, ElementType elementType) {
    this.number = number;
    this.elementType = elementType;
  }

  GgufType(int number, int blockElements, int blockBytes) {
    this.number = number;
    this.elementType =
        new ElementType(name().toLowerCase(Locale.ROOT), blockElements, blockBytes, false);
  }

  /** The type of a number in a file; empty if there is none. */
  static Optional<GgufType> of(long number) {
    return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
  }

  /** The type that stores such elements; empty if GGUF files cannot hold them. */
  public static Optional<GgufType> of(ElementType elementType) {
    return Arrays.stream(values()).filter(type -> type.elementType.equals(elementType)).findFirst();
  }

  /** What a file calls it. */
  int number() {
    return number;
  }

  /** Its elements; of a type of blocks, labelled as in {@code q4_0}. */
  public ElementType elementType() {
    return elementType;
  }

  /** Whether values share scales. */
  public boolean isOfBlocks() {
    return elementType.blockElements() > 1;
  }
}
