package dev.kvant.backend.gguf.blocks;

/** Rounds as llama.cpp does. */
final class Rounding {

  /** 1.5 · 2^23: a sum with it has its units in the last place. */
  private static final float SHIFT = 12582912f;

  private static final int FRACTION = 0x007fffff;
  private static final int SHIFT_FRACTION = 0x00400000;

  private Rounding() {}

  /**
   * The nearest integer, half to even.
   *
   * @param value of a magnitude below 2^22; for others the result is not specified
   */
  static int nearest(float value) {
    return (Float.floatToRawIntBits(value + SHIFT) & FRACTION) - SHIFT_FRACTION;
  }
}
