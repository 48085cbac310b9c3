package dev.kvant.backend.onnx.calibration;

/**
 * Why an activation has no range of use.
 *
 * @since 0.1.0
 */
public enum NoRange {
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

  /** The second half of a sentence about the activation. */
  public String why() {
    return why;
  }

  /** What to do, as a request. */
  public String remedy() {
    return remedy;
  }
}
