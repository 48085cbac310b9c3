package dev.kvant.kit;

import dev.kvant.numerics.observer.ValueRange;
import java.util.Optional;

/**
 * Why an activation has no range of use, so that it stays native.
 *
 * @since 0.1.0
 */
public enum NoRange {
  /** In a branch that was not taken, for instance, or in a module that was not called. */
  UNREACHED("had no value while the calibration data ran", "add data that reaches it"),
  /** Its scale would be arbitrary, and with it what is left of a bias in steps of it. */
  ZEROS("was always zero in the calibration data", "add data that gives it other values"),
  /** Masks are the smallest float32; a range as far as that leaves nothing of other values. */
  MASKS(
      "has values beyond 1e30 in the calibration data, as masks have, and a range that holds them"
          + " rounds all others to zero",
      "mask behind the product, or use masks of a magnitude like that of other values");

  /** The largest magnitude of values that are not masks. */
  public static final float LARGEST = 1e30f;

  private final String why;
  private final String remedy;

  NoRange(String why, String remedy) {
    this.why = why;
    this.remedy = remedy;
  }

  /**
   * Why an observed range is of no use.
   *
   * @return empty if it is of use; never {@link #UNREACHED}
   */
  public static Optional<NoRange> of(ValueRange range) {
    if (range.amax() == 0) {
      return Optional.of(ZEROS);
    }
    return range.amax() > LARGEST ? Optional.of(MASKS) : Optional.empty();
  }

  /** The second half of a sentence about the activation. */
  public String why() {
    return why;
  }

  /** What to do, as a request. */
  public String remedy() {
    return remedy;
  }
}
