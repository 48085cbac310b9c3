package dev.kvant.backend.compressedtensors.weights;

import dev.kvant.api.ElementType;
import dev.kvant.numerics.FloatType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Scales in the type of the weight, as compressed-tensors computes them. */
final class ScaleType {

  private final FloatType type;

  ScaleType(FloatType type) {
    this.type = type;
  }

  /** The type of the elements in a file. */
  ElementType elementType() {
    return ElementType.of(type.label());
  }

  /**
   * A quotient in the type of the weight; where it is 0, the distance from 1 to the next value of
   * that type.
   *
   * @param range the magnitude or the distance to span
   * @param divisor how many units of the code span it
   */
  float scale(float range, float divisor) {
    float scale = type.round(range / divisor);
    return scale == 0 ? epsilon() : scale;
  }

  /** The result of an operation in the type of the weight. */
  float round(float value) {
    return type.round(value);
  }

  private float epsilon() {
    return switch (type) {
      case FLOAT32 -> 0x1p-23f;
      case FLOAT16 -> 0x1p-10f;
      case BFLOAT16 -> 0x1p-7f;
    };
  }

  /** The smallest positive normal value. */
  float tiny() {
    return type == FloatType.FLOAT16 ? 0x1p-14f : Float.MIN_NORMAL;
  }

  /** Scales as they are stored. */
  byte[] bytes(float[] scales) {
    ByteBuffer bytes =
        ByteBuffer.allocate(scales.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    type.store(scales, scales.length, bytes, 0);
    return bytes.array();
  }

  /** All values of a buffer. */
  float[] values(ByteBuffer source) {
    ByteBuffer values = source.slice().order(ByteOrder.LITTLE_ENDIAN);
    float[] floats = new float[values.remaining() / type.bytes()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = type.get(values, i);
    }
    return floats;
  }
}
