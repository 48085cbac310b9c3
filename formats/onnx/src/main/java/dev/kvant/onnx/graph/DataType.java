package dev.kvant.onnx.graph;

import dev.kvant.api.ElementType;
import dev.kvant.numerics.FloatType;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The element types of the ONNX specification with their numbers, {@code TensorProto.DataType}.
 *
 * @since 0.1.0
 */
public enum DataType {
  /** IEEE 754 binary32. */
  FLOAT(1, 32, ElementType.FLOAT32, FloatType.FLOAT32),
  UINT8(2, 8, ElementType.UINT8, null),
  INT8(3, 8, ElementType.INT8, null),
  UINT16(4, 16, ElementType.UINT16, null),
  INT16(5, 16, ElementType.INT16, null),
  INT32(6, 32, ElementType.INT32, null),
  INT64(7, 64, ElementType.INT64, null),
  /** Text, which is not stored as bytes of a fixed size. */
  STRING(8, 0, null, null),
  BOOL(9, 8, ElementType.BOOL, null),
  /** IEEE 754 binary16. */
  FLOAT16(10, 16, ElementType.FLOAT16, FloatType.FLOAT16),
  DOUBLE(11, 64, ElementType.FLOAT64, null),
  UINT32(12, 32, ElementType.UINT32, null),
  UINT64(13, 64, ElementType.UINT64, null),
  COMPLEX64(14, 64, null, null),
  COMPLEX128(15, 128, null, null),
  /** The upper half of a float32. */
  BFLOAT16(16, 16, ElementType.BFLOAT16, FloatType.BFLOAT16),
  FLOAT8E4M3FN(17, 8, ElementType.FLOAT8_E4M3FN, null),
  FLOAT8E4M3FNUZ(18, 8, null, null),
  FLOAT8E5M2(19, 8, ElementType.FLOAT8_E5M2, null),
  FLOAT8E5M2FNUZ(20, 8, null, null),
  UINT4(21, 4, ElementType.UINT4, null),
  INT4(22, 4, ElementType.INT4, null),
  FLOAT4E2M1(23, 4, null, null),
  FLOAT8E8M0(24, 8, null, null);

  private final int number;
  private final int bits;

  @SuppressWarnings("ImmutableEnumChecker") // A record of a text and numbers.
  private final @Nullable ElementType elementType;

  private final @Nullable FloatType floatType;

  DataType(int number, int bits, @Nullable ElementType elementType, @Nullable FloatType floatType) {
    this.number = number;
    this.bits = bits;
    this.elementType = elementType;
    this.floatType = floatType;
  }

  /** The type of that number; empty for one that this version of the specification lacks. */
  public static Optional<DataType> of(int number) {
    for (DataType type : values()) {
      if (type.number == number) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  /** The type that holds those elements. */
  public static DataType of(ElementType elementType) {
    for (DataType type : values()) {
      if (elementType.equals(type.elementType)) {
        return type;
      }
    }
    throw new IllegalArgumentException("elementType: ONNX has no " + elementType);
  }

  /** The number in files. */
  public int number() {
    return number;
  }

  /** Size of so many elements in bytes; elements of 4 bits are packed in pairs. */
  public long bytes(long elements) {
    return (Math.multiplyExact(elements, bits) + 7) / 8;
  }

  /** What the elements are called elsewhere; empty for types that only ONNX has. */
  public Optional<ElementType> elementType() {
    return Optional.ofNullable(elementType);
  }

  /** How to read the elements as weights; empty for what cannot be quantized. */
  public Optional<FloatType> floatType() {
    return Optional.ofNullable(floatType);
  }
}
