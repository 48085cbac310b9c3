package dev.kvant.numerics;

/**
 * How values become codes of one 8-bit type and how codes become values again.
 *
 * <p>The methods on arrays are the inner loops, shaped for Java 17's compiler: it vectorizes loops
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
   * #encode(int[], int, byte[])} takes.
   *
   * @param amax bounds the magnitudes of the values
   */
  void scale(float[] values, int from, int to, float scale, float amax);

  /** Does the same with a scale for each value, from an index of an array on. */
  void scaleEach(float[] values, int from, int to, float[] scales, int index);

  /** Turns the bits of scaled values into codes; may overwrite the bits. */
  void encode(int[] bits, int count, byte[] codes);

  /** Restores values of a row as {@code q * scale}, from an index of their array on. */
  void decode(byte[] codes, int count, float scale, float[] values, int index);
}
