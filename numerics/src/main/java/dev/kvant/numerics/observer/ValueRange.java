package dev.kvant.numerics.observer;

/**
 * A closed range of real values.
 *
 * @param min the lower end, finite
 * @param max the upper end, finite and not below {@code min}
 * @since 0.1.0
 */
public record ValueRange(float min, float max) {

  public ValueRange {
    if (!(Float.isFinite(min) && Float.isFinite(max) && min <= max)) {
      throw new IllegalArgumentException(
          "min and max must be finite and in order, were " + min + " and " + max);
    }
  }

  /**
   * Returns the largest magnitude.
   *
   * @return {@code max(|min|, |max|)}
   */
  public float amax() {
    return Math.max(Math.abs(min), Math.abs(max));
  }
}
