package dev.kvant.api;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A dense tensor in memory: an input or output of a model.
 *
 * @since 0.1.0
 */
public final class Tensor {

  private final ElementType elementType;
  private final List<Long> shape;
  private final ByteBuffer data;

  private Tensor(ElementType elementType, List<Long> shape, ByteBuffer data) {
    this.elementType = elementType;
    this.shape = shape;
    this.data = data;
  }

  /**
   * Wraps data without copying it.
   *
   * @param elementType type of the elements
   * @param shape dimensions, outermost first
   * @param data the elements between position and limit, row-major, little-endian
   * @throws IllegalArgumentException if the length of the data does not match the shape
   */
  public static Tensor of(ElementType elementType, List<Long> shape, ByteBuffer data) {
    Objects.requireNonNull(elementType, "elementType");
    List<Long> dimensions = List.copyOf(shape);
    long bytes = elementType.bytes(elements(dimensions));
    if (data.remaining() != bytes) {
      throw new IllegalArgumentException(
          "data: expected %d bytes for shape %s of %s, but got %d"
              .formatted(bytes, dimensions, elementType, data.remaining()));
    }
    return new Tensor(
        elementType, dimensions, data.slice().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN));
  }

  /** A float32 tensor of a copy of those values, row-major. */
  public static Tensor ofFloats(float[] values, long... shape) {
    ByteBuffer data =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(values);
    return of(ElementType.FLOAT32, boxed(shape), data);
  }

  /** An int64 tensor of a copy of those values, row-major. */
  public static Tensor ofLongs(long[] values, long... shape) {
    ByteBuffer data =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Long.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    data.asLongBuffer().put(values);
    return of(ElementType.INT64, boxed(shape), data);
  }

  private static List<Long> boxed(long[] shape) {
    return Arrays.stream(shape).boxed().toList();
  }

  private static long elements(List<Long> shape) {
    long elements = 1;
    for (long dimension : shape) {
      if (dimension < 0) {
        throw new IllegalArgumentException(
            "shape: dimension %d of %s is negative".formatted(dimension, shape));
      }
      elements = Math.multiplyExact(elements, dimension);
    }
    return elements;
  }

  /** Type of the elements. */
  public ElementType elementType() {
    return elementType;
  }

  /** Dimensions, outermost first; empty for a scalar. */
  public List<Long> shape() {
    return shape;
  }

  /** Number of elements. */
  public long elements() {
    return elements(shape);
  }

  /** A read-only view of the elements, row-major, little-endian, positioned at the first. */
  public ByteBuffer data() {
    return data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * A copy of the values as float32. float64 and integers are rounded to nearest; float16 and
   * bfloat16 are exact.
   *
   * @throws UnsupportedOperationException for float8 and uint64
   */
  public float[] toFloats() {
    ByteBuffer source = data();
    FloatReader reader = floatReader();
    float[] values = new float[Math.toIntExact(elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = reader.next(source);
    }
    return values;
  }

  /** Reads the next element as float32. */
  private interface FloatReader {
    float next(ByteBuffer source);
  }

  private FloatReader floatReader() {
    return switch (elementType.label()) {
      case "float64" -> source -> (float) source.getDouble();
      case "float32" -> ByteBuffer::getFloat;
      case "float16" -> source -> fromFloat16(source.getShort());
      case "bfloat16" -> source -> Float.intBitsToFloat(source.getShort() << 16);
      case "uint64", "float8_e4m3fn", "float8_e5m2" ->
          throw new UnsupportedOperationException(
              "cannot convert a %s tensor to float32".formatted(elementType));
      default -> {
        LongReader integers = longReader();
        yield source -> integers.next(source);
      }
    };
  }

  /** One sign bit, five exponent bits with bias 15, ten mantissa bits. */
  private static float fromFloat16(short bits) {
    int exponent = bits >> 10 & 0x1F;
    int mantissa = bits & 0x3FF;
    float magnitude =
        switch (exponent) {
          case 0 -> Math.scalb((float) mantissa, -24);
          case 0x1F -> mantissa == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
          default -> Math.scalb((float) (0x400 | mantissa), exponent - 25);
        };
    return bits < 0 ? -magnitude : magnitude;
  }

  /**
   * A copy of the values as int64.
   *
   * @throws UnsupportedOperationException if the elements are not integers
   */
  public long[] toLongs() {
    ByteBuffer source = data();
    LongReader reader = longReader();
    long[] values = new long[Math.toIntExact(elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = reader.next(source);
    }
    return values;
  }

  /** Reads the next element as int64. */
  private interface LongReader {
    long next(ByteBuffer source);
  }

  private LongReader longReader() {
    return switch (elementType.label()) {
      case "int64", "uint64" -> ByteBuffer::getLong;
      case "int32" -> ByteBuffer::getInt;
      case "int16" -> ByteBuffer::getShort;
      case "int8" -> ByteBuffer::get;
      case "uint8", "bool" -> source -> source.get() & 0xFF;
      case "uint16" -> source -> source.getShort() & 0xFFFF;
      case "uint32" -> source -> Integer.toUnsignedLong(source.getInt());
      default ->
          throw new UnsupportedOperationException(
              "expected an integer tensor, but got %s".formatted(elementType));
    };
  }

  @Override
  public String toString() {
    return elementType + shape.toString();
  }
}
