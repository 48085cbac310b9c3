package dev.kvant.numerics;

/**
 * Converts values to codes of one 8-bit type, and codes to values.
 *
 * <p>The methods on arrays are the inner loops, written for Java 17's compiler: it vectorizes loops
 * over arrays of one element size, without comparisons, look-ups or conversions between sizes.
 */
interface Coding {

  /** The largest finite value. */
  float max();

  /** Rounds half to even; see {@link QuantizedType#encode}. */
  byte encode(float value);

  float decode(byte code);

  /**
   * Replaces the values {@code [from, to)} of a row by float32 values whose bits {@link
   * #encode(int[], int, byte[])} accepts.
   *
   * @param amax bounds the magnitudes of the values
   */
  void scale(float[] values, int from, int to, float scale, float amax);

  /** Does the same with a scale for each value, from an index of an array on. */
  void scaleEach(float[] values, int from, int to, float[] scales, int index);

  /** Converts the bits of scaled values to codes; may overwrite the bits. */
  void encode(int[] bits, int count, byte[] codes);

  /** Restores values of a row as {@code q * scale}, from an index of their array on. */
  void decode(byte[] codes, int count, float scale, float[] values, int index);
}
