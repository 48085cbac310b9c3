package dev.kvant.runtime.data;

import dev.kvant.api.ElementType;
import dev.kvant.api.Tensor;
import dev.kvant.numerics.BFloat16;
import dev.kvant.numerics.Float16;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.Set;

/**
 * Converts tensors of numbers from one element type to another where every value stays the same.
 *
 * <p>NaN, infinities and the sign of zero are kept between floating-point types and cannot become
 * integers.
 */
final class ExactConversion {

  private static final Set<String> TYPES =
      Set.of(
          "float64",
          "float32",
          "float16",
          "bfloat16",
          "int64",
          "int32",
          "int16",
          "int8",
          "uint32",
          "uint16",
          "uint8",
          "bool");

  /** A value that the other type does not have. */
  record Loss(long index, String value) {}

  /** A converted tensor, or the first value that cannot be converted. */
  record Result(Optional<Tensor> tensor, Optional<Loss> loss) {}

  private ExactConversion() {}

  /** Whether both types are numbers that can be compared. */
  static boolean isPossible(ElementType from, ElementType to) {
    return TYPES.contains(from.label()) && TYPES.contains(to.label());
  }

  /** Converts every element. */
  static Result convert(Tensor tensor, ElementType to) {
    ByteBuffer target =
        ByteBuffer.allocate(
                Math.toIntExact(Math.multiplyExact(tensor.elements(), (long) to.bytes())))
            .order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer source = tensor.data();
    boolean isFloating = tensor.elementType().isFloatingPoint();
    String from = tensor.elementType().label();
    for (long i = 0; i < tensor.elements(); i++) {
      if (isFloating) {
        double value = floating(source, from);
        if (!put(value, to, target)) {
          return new Result(Optional.empty(), Optional.of(new Loss(i, String.valueOf(value))));
        }
      } else {
        long value = integer(source, from);
        if (!put(value, to, target)) {
          return new Result(Optional.empty(), Optional.of(new Loss(i, String.valueOf(value))));
        }
      }
    }
    return new Result(Optional.of(Tensor.of(to, tensor.shape(), target.flip())), Optional.empty());
  }

  private static double floating(ByteBuffer source, String type) {
    return switch (type) {
      case "float64" -> source.getDouble();
      case "float32" -> source.getFloat();
      case "float16" -> Float16.toFloat(source.getShort());
      default -> BFloat16.toFloat(source.getShort());
    };
  }

  private static long integer(ByteBuffer source, String type) {
    return switch (type) {
      case "int64" -> source.getLong();
      case "int32" -> source.getInt();
      case "int16" -> source.getShort();
      case "int8" -> source.get();
      case "uint32" -> Integer.toUnsignedLong(source.getInt());
      case "uint16" -> Short.toUnsignedInt(source.getShort());
      default -> Byte.toUnsignedInt(source.get());
    };
  }

  private static boolean put(long value, ElementType to, ByteBuffer target) {
    if (to.isFloatingPoint()) {
      double wide = value;
      return (long) wide == value && value != Long.MAX_VALUE && put(wide, to, target);
    }
    switch (to.label()) {
      case "int64" -> target.putLong(value);
      case "int32", "uint32" -> target.putInt((int) value);
      case "int16", "uint16" -> target.putShort((short) value);
      default -> target.put((byte) value);
    }
    return value >= least(to) && value <= greatest(to);
  }

  private static boolean put(double value, ElementType to, ByteBuffer target) {
    switch (to.label()) {
      case "float64" -> {
        target.putDouble(value);
        return true;
      }
      case "float32" -> {
        target.putFloat((float) value);
        return isSame((float) value, value);
      }
      case "float16" -> {
        short half = Float16.fromFloat((float) value);
        target.putShort(half);
        return isSame(Float16.toFloat(half), value);
      }
      case "bfloat16" -> {
        short half = BFloat16.fromFloat((float) value);
        target.putShort(half);
        return isSame(BFloat16.toFloat(half), value);
      }
      default -> {
        long whole = (long) value;
        // 2^63 as a double would come back as the greatest long, which is another number.
        return whole == value && whole != Long.MAX_VALUE && put(whole, to, target);
      }
    }
  }

  private static boolean isSame(double converted, double value) {
    return converted == value || (Double.isNaN(converted) && Double.isNaN(value));
  }

  private static long least(ElementType type) {
    return switch (type.label()) {
      case "int64" -> Long.MIN_VALUE;
      case "int32" -> Integer.MIN_VALUE;
      case "int16" -> Short.MIN_VALUE;
      case "int8" -> Byte.MIN_VALUE;
      default -> 0;
    };
  }

  private static long greatest(ElementType type) {
    return switch (type.label()) {
      case "int64" -> Long.MAX_VALUE;
      case "int32" -> Integer.MAX_VALUE;
      case "int16" -> Short.MAX_VALUE;
      case "int8" -> Byte.MAX_VALUE;
      case "uint32" -> 0xFFFFFFFFL;
      case "uint16" -> 0xFFFF;
      case "uint8" -> 0xFF;
      default -> 1;
    };
  }
}
