package dev.kvant.backend.compressedtensors.weights;

/**
 * Float4 with 2 exponent bits and 1 mantissa bit: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives. A
 * code is the index of the magnitude, plus 8 for negative values.
 */
final class Float4 {

  private static final float[] MAGNITUDES = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};

  private Float4() {}

  /** The code of the nearest value, of two equally near ones that with an even index. */
  static int code(float value) {
    float magnitude = Math.abs(value);
    int index;
    if (magnitude <= 1.25f) {
      index = magnitude <= 0.25f ? 0 : magnitude < 0.75f ? 1 : 2;
    } else if (magnitude <= 2.5f) {
      index = magnitude < 1.75f ? 3 : 4;
    } else {
      index = magnitude < 3.5f ? 5 : magnitude <= 5 ? 6 : 7;
    }
    return value < 0 ? index | 8 : index;
  }

  /** The value of a code. */
  static float value(int code) {
    float magnitude = MAGNITUDES[code & 7];
    return code >= 8 ? -magnitude : magnitude;
  }
}
