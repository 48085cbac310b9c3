package dev.kvant.numerics;

import java.nio.ByteBuffer;
import java.nio.ShortBuffer;

/**
 * The floating-point types that weights come in, stored little-endian.
 *
 * @since 0.1.0
 */
public enum FloatType {
  /** IEEE 754 binary32. */
  FLOAT32(Float.BYTES, Float.MAX_VALUE) {
    @Override
    float round(float value) {
      return value;
    }

    @Override
    float get(ByteBuffer littleEndian, int index) {
      return littleEndian.getFloat(index * Float.BYTES);
    }

    @Override
    void load(ByteBuffer littleEndian, int index, float[] values, int count) {
      littleEndian.asFloatBuffer().get(index, values, 0, count);
    }

    @Override
    void store(float[] values, int count, ByteBuffer littleEndian, int index) {
      littleEndian.asFloatBuffer().put(index, values, 0, count);
    }
  },
  /** IEEE 754 binary16, see {@link Float16}. */
  FLOAT16(Short.BYTES, 65504) {
    @Override
    float round(float value) {
      return Float16.toFloat(Float16.fromFloat(value));
    }

    @Override
    float get(ByteBuffer littleEndian, int index) {
      return Float16.toFloat(littleEndian.getShort(index * Short.BYTES));
    }

    @Override
    void load(ByteBuffer littleEndian, int index, float[] values, int count) {
      ShortBuffer halves = littleEndian.asShortBuffer();
      for (int i = 0; i < count; i++) {
        values[i] = Float16.toFloatBeyondMax(halves.get(index + i));
      }
    }

    @Override
    void store(float[] values, int count, ByteBuffer littleEndian, int index) {
      ShortBuffer halves = littleEndian.asShortBuffer();
      for (int i = 0; i < count; i++) {
        halves.put(index + i, Float16.fromFloat(values[i]));
      }
    }
  },
  /** The upper half of a float32, see {@link BFloat16}. */
  BFLOAT16(Short.BYTES, Float.MAX_VALUE) {
    @Override
    float round(float value) {
      return BFloat16.toFloat(BFloat16.fromFloat(value));
    }

    @Override
    float get(ByteBuffer littleEndian, int index) {
      return BFloat16.toFloat(littleEndian.getShort(index * Short.BYTES));
    }

    @Override
    void load(ByteBuffer littleEndian, int index, float[] values, int count) {
      ShortBuffer halves = littleEndian.asShortBuffer();
      for (int i = 0; i < count; i++) {
        values[i] = BFloat16.toFloat(halves.get(index + i));
      }
    }

    @Override
    void store(float[] values, int count, ByteBuffer littleEndian, int index) {
      ShortBuffer halves = littleEndian.asShortBuffer();
      for (int i = 0; i < count; i++) {
        halves.put(index + i, BFloat16.fromFloat(values[i]));
      }
    }
  };

  private final int bytes;
  private final float loadedMax;

  FloatType(int bytes, float loadedMax) {
    this.bytes = bytes;
    this.loadedMax = loadedMax;
  }

  /**
   * Returns the size of one element in bytes.
   *
   * @return 4 or 2
   */
  public int bytes() {
    return bytes;
  }

  /**
   * Whether the largest magnitude of {@linkplain #load loaded} values shows that all are finite.
   */
  boolean isFinite(float amax) {
    return amax <= loadedMax;
  }

  /** Rounds to the nearest value of this type, half to even. */
  abstract float round(float value);

  /** Reads the element at an index. */
  abstract float get(ByteBuffer littleEndian, int index);

  /**
   * Reads elements from an index on to the beginning of an array. NaN and infinities become values
   * for which {@link #isFinite} is false, but not necessarily NaN and infinities.
   */
  abstract void load(ByteBuffer littleEndian, int index, float[] values, int count);

  /** Writes the first elements of an array from an index on, rounded half to even. */
  abstract void store(float[] values, int count, ByteBuffer littleEndian, int index);
}
