package dev.kvant.numerics;

/**
 * How the codes of a block of weights are read: {@code w = (q - zeroPoint) * scale}.
 *
 * @param scale the real value of one unit of the code, finite and not zero
 * @param zeroPoint the code of 0
 * @since 0.1.0
 */
public record BlockStep(float scale, int zeroPoint) {

  public BlockStep {
    if (!Float.isFinite(scale) || scale == 0) {
      throw new IllegalArgumentException("scale must be finite and not zero, was " + scale);
    }
    if (zeroPoint < 0) {
      throw new IllegalArgumentException("zeroPoint must not be negative, was " + zeroPoint);
    }
  }
}
