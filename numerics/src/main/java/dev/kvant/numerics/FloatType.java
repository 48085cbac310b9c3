package dev.kvant.numerics;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * The floating-point types of weights, stored little-endian.
 *
 * @since 0.1.0
 */
public enum FloatType {
  /** IEEE 754 binary32. */
  FLOAT32("float32", Float.BYTES, Float.MAX_VALUE) {
    @Override
    public float round(float value) {
      return value;
    }

    @Override
    public float get(ByteBuffer littleEndian, int index) {
      return littleEndian.getFloat(index * Float.BYTES);
    }

    @Override
    void fill(ByteBuffer littleEndian, int index, float[] values, int count) {
      whole(littleEndian).asFloatBuffer().get(index, values, 0, count);
    }

    @Override
    public void store(float[] values, int count, ByteBuffer littleEndian, int index) {
      whole(littleEndian).asFloatBuffer().put(index, values, 0, count);
    }
  },
  /** IEEE 754 binary16, see {@link Float16}. */
  FLOAT16("float16", Short.BYTES, 65504) {
    @Override
    public float round(float value) {
      return Float16.toFloat(Float16.fromFloat(value));
    }

    @Override
    public float get(ByteBuffer littleEndian, int index) {
      return Float16.toFloat(littleEndian.getShort(index * Short.BYTES));
    }

    @Override
    void fill(ByteBuffer littleEndian, int index, float[] values, int count) {
      ShortBuffer halves = whole(littleEndian).asShortBuffer();
      for (int i = 0; i < count; i++) {
        values[i] = Float16.toFloatBeyondMax(halves.get(index + i));
      }
    }

    @Override
    public void store(float[] values, int count, ByteBuffer littleEndian, int index) {
      ShortBuffer halves = whole(littleEndian).asShortBuffer();
      for (int i = 0; i < count; i++) {
        halves.put(index + i, Float16.fromFloat(values[i]));
      }
    }
  },
  /** The upper half of a float32, see {@link BFloat16}. */
  BFLOAT16("bfloat16", Short.BYTES, Float.MAX_VALUE) {
    @Override
    public float round(float value) {
      return BFloat16.toFloat(BFloat16.fromFloat(value));
    }

    @Override
    public float get(ByteBuffer littleEndian, int index) {
      return BFloat16.toFloat(littleEndian.getShort(index * Short.BYTES));
    }

    @Override
    void fill(ByteBuffer littleEndian, int index, float[] values, int count) {
      ShortBuffer halves = whole(littleEndian).asShortBuffer();
      for (int i = 0; i < count; i++) {
        values[i] = BFloat16.toFloat(halves.get(index + i));
      }
    }

    @Override
    public void store(float[] values, int count, ByteBuffer littleEndian, int index) {
      ShortBuffer halves = whole(littleEndian).asShortBuffer();
      for (int i = 0; i < count; i++) {
        halves.put(index + i, BFloat16.fromFloat(values[i]));
      }
    }
  };

  private final String label;
  private final int bytes;
  private final float loadedMax;

  FloatType(String label, int bytes, float loadedMax) {
    this.label = label;
    this.bytes = bytes;
    this.loadedMax = loadedMax;
  }

  /**
   * Returns the type of a label.
   *
   * @param label the common name, as in {@code bfloat16}
   * @return the type; empty for any other label
   */
  public static Optional<FloatType> find(String label) {
    return Arrays.stream(values()).filter(type -> type.label.equals(label)).findFirst();
  }

  /**
   * Returns the name in common use.
   *
   * @return as in {@code bfloat16}
   */
  public String label() {
    return label;
  }

  /**
   * Returns the size of one element in bytes.
   *
   * @return 4 or 2
   */
  public int bytes() {
    return bytes;
  }

  /** The same bytes from 0 to the capacity, little-endian. */
  private static ByteBuffer whole(ByteBuffer littleEndian) {
    return littleEndian.duplicate().clear().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Whether the largest magnitude of {@linkplain #load loaded} values shows that all are finite.
   *
   * @param amax the largest magnitude
   * @return false if a value is NaN or infinite
   */
  public boolean isFinite(float amax) {
    return amax <= loadedMax;
  }

  /**
   * Rounds to the nearest value of this type, half to even.
   *
   * @param value any float32
   * @return the value, infinite where it exceeds the range of this type
   */
  public abstract float round(float value);

  /**
   * Reads one element, exactly.
   *
   * @param littleEndian where it is; the position is not used
   * @param index which element, from 0
   * @return its value
   */
  public abstract float get(ByteBuffer littleEndian, int index);

  /**
   * Reads elements from an index on to the beginning of an array. NaN and infinities become values
   * for which {@link #isFinite} is false, but not necessarily NaN and infinities; {@link #get}
   * tells which.
   *
   * @param littleEndian where they are; position and limit are not used
   * @param index which element is the first, from 0
   * @param values receives them from its beginning on
   * @param count how many
   */
  public final void load(ByteBuffer littleEndian, int index, float[] values, int count) {
    fill(littleEndian, index, values, count);
  }

  /** Does what {@link #load} says. */
  abstract void fill(ByteBuffer littleEndian, int index, float[] values, int count);

  /**
   * Writes the first elements of an array, rounded half to even.
   *
   * @param values the values
   * @param count how many of them to write
   * @param littleEndian where to; position and limit are not used
   * @param index the element to begin at, from 0
   */
  public abstract void store(float[] values, int count, ByteBuffer littleEndian, int index);
}
