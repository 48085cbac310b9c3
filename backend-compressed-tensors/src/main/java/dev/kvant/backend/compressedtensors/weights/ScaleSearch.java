package dev.kvant.backend.compressedtensors.weights;

/**
 * Tries scales for values that share one: from that which spans them down to about half of it.
 * Keeps the one with the smallest sum of squared errors; the first of equals, so that the spanning
 * scale wins where nothing is gained.
 */
final class ScaleSearch {

  /** How many scales are tried, and by how much of the spanning one they differ. */
  private static final int SCALES = 16;

  private static final float STEP = 1f / 32;

  /** What a scale costs. */
  @FunctionalInterface
  interface Cost {

    /**
     * The sum of squared errors.
     *
     * @param share which share of the whole range the codes span, above 0 and at most 1
     */
    double of(float share);
  }

  private ScaleSearch() {}

  /** The share of the range that costs least. */
  static float share(Cost cost) {
    float best = 1;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < SCALES; i++) {
      float share = 1 - i * STEP;
      double error = cost.of(share);
      if (error < least) {
        least = error;
        best = share;
      }
    }
    return best;
  }
}
