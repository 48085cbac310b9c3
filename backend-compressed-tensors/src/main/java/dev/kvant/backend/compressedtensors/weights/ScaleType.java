package dev.kvant.backend.compressedtensors.weights;

import dev.kvant.api.ElementType;
import dev.kvant.numerics.FloatType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The type that scales are computed and stored in. */
final class ScaleType {

  private final FloatType type;
  private final float scaleOfZeros;

  private ScaleType(FloatType type, float scaleOfZeros) {
    this.type = type;
    this.scaleOfZeros = scaleOfZeros;
  }

  /**
   * As compressed-tensors computes them: in the type of the weight. Where a quotient is 0, the
   * scale is the distance from 1 to the next value of that type.
   */
  static ScaleType ofWeight(FloatType type) {
    return new ScaleType(
        type,
        switch (type) {
          case FLOAT32 -> 0x1p-23f;
          case FLOAT16 -> 0x1p-10f;
          case BFLOAT16 -> 0x1p-7f;
        });
  }

  /** As ModelOpt computes them: in float32. Where a quotient is 0, the scale is 1. */
  static ScaleType ofModelOpt() {
    return new ScaleType(FloatType.FLOAT32, 1);
  }

  /** The type of the elements in a file. */
  ElementType elementType() {
    return ElementType.of(type.label());
  }

  /**
   * A quotient in this type, or what stands for 0.
   *
   * @param range the magnitude or the distance to span
   * @param divisor how many units of the code span it
   */
  float scale(float range, float divisor) {
    float scale = type.round(range / divisor);
    return scale == 0 ? scaleOfZeros : scale;
  }

  /** The result of an operation in this type. */
  float round(float value) {
    return type.round(value);
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
  static float[] values(FloatType type, ByteBuffer source) {
    ByteBuffer values = source.slice().order(ByteOrder.LITTLE_ENDIAN);
    float[] floats = new float[values.remaining() / type.bytes()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = type.get(values, i);
    }
    return floats;
  }
}
