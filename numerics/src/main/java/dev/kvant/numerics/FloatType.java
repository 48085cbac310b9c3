package dev.kvant.numerics;

import java.nio.ByteBuffer;

/**
 * The floating-point types that weights come in, stored little-endian.
 *
 * @since 0.1.0
 */
public enum FloatType {
  /** IEEE 754 binary32. */
  FLOAT32(Float.BYTES) {
    @Override
    float get(ByteBuffer littleEndian, int index) {
      return littleEndian.getFloat(index);
    }

    @Override
    void put(ByteBuffer littleEndian, int index, float value) {
      littleEndian.putFloat(index, value);
    }

    @Override
    float round(float value) {
      return value;
    }
  },
  /** IEEE 754 binary16, see {@link Float16}. */
  FLOAT16(Short.BYTES) {
    @Override
    float get(ByteBuffer littleEndian, int index) {
      return Float16.toFloat(littleEndian.getShort(index));
    }

    @Override
    void put(ByteBuffer littleEndian, int index, float value) {
      littleEndian.putShort(index, Float16.fromFloat(value));
    }

    @Override
    float round(float value) {
      return Float16.toFloat(Float16.fromFloat(value));
    }
  },
  /** The upper half of a float32, see {@link BFloat16}. */
  BFLOAT16(Short.BYTES) {
    @Override
    float get(ByteBuffer littleEndian, int index) {
      return BFloat16.toFloat(littleEndian.getShort(index));
    }

    @Override
    void put(ByteBuffer littleEndian, int index, float value) {
      littleEndian.putShort(index, BFloat16.fromFloat(value));
    }

    @Override
    float round(float value) {
      return BFloat16.toFloat(BFloat16.fromFloat(value));
    }
  };

  private final int bytes;

  FloatType(int bytes) {
    this.bytes = bytes;
  }

  /**
   * Returns the size of one element in bytes.
   *
   * @return 4 or 2
   */
  public int bytes() {
    return bytes;
  }

  /** Reads the element at a byte index. */
  abstract float get(ByteBuffer littleEndian, int index);

  /** Writes the element at a byte index, rounded half to even. */
  abstract void put(ByteBuffer littleEndian, int index, float value);

  /** Rounds to the nearest value of this type, half to even. */
  abstract float round(float value);
}
