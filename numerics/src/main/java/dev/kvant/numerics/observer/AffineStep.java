package dev.kvant.numerics.observer;

/**
 * Converts codes to real values: {@code x = (q - zeroPoint) * scale}.
 *
 * @param scale the real value of one step, positive and finite
 * @param zeroPoint the code of the value 0
 * @since 0.1.0
 */
public record AffineStep(float scale, int zeroPoint) {

  public AffineStep {
    if (!(scale > 0 && scale <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException("scale must be positive and finite, was " + scale);
    }
  }
}
