package dev.kvant.numerics.observer;

/** Shrinks a range as long as that lowers the cost of quantizing to it. */
final class CostSearch implements HistogramObserver.Search {

  /** What it costs to quantize the values of a histogram with a step that spans a range. */
  @FunctionalInterface
  interface Cost {
    double of(Histogram.Bins bins, Grid grid, ValueRange range);
  }

  /** Ranges are halved in so many steps of equal proportion. */
  private static final int STEPS_PER_HALF = 24;

  /** The shortest range that is tried is 1/64 of the whole. */
  private static final int STEPS = 6 * STEPS_PER_HALF;

  /** How often the ends of an asymmetric range are tried in turn. */
  private static final int ROUNDS = 3;

  private final Cost cost;

  CostSearch(Cost cost) {
    this.cost = cost;
  }

  @Override
  public ValueRange range(Histogram histogram, Grid grid) {
    Histogram.Bins bins = histogram.bins();
    ValueRange whole = histogram.range();
    if (grid.isSymmetric()) {
      float amax = whole.amax();
      int steps = best(bins, grid, each -> new ValueRange(-shrunk(amax, each), shrunk(amax, each)));
      return new ValueRange(-shrunk(amax, steps), shrunk(amax, steps));
    }
    float min = Math.min(whole.min(), 0);
    float max = Math.max(whole.max(), 0);
    int lower = 0;
    int upper = 0;
    for (int round = 0; round < ROUNDS; round++) {
      int lowerBefore = lower;
      int upperBefore = upper;
      upper = best(bins, grid, each -> new ValueRange(shrunk(min, lowerBefore), shrunk(max, each)));
      int newUpper = upper;
      lower =
          min == 0
              ? 0
              : best(bins, grid, each -> new ValueRange(shrunk(min, each), shrunk(max, newUpper)));
      if (lower == lowerBefore && upper == upperBefore) {
        break;
      }
    }
    return new ValueRange(shrunk(min, lower), shrunk(max, upper));
  }

  private static float shrunk(float end, int steps) {
    return (float) (end * StrictMath.pow(2, -(double) steps / STEPS_PER_HALF));
  }

  @FunctionalInterface
  private interface Candidates {
    ValueRange of(int steps);
  }

  /** The number of steps with the least cost; the larger range where two cost the same. */
  private int best(Histogram.Bins bins, Grid grid, Candidates candidates) {
    int best = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int steps = 0; steps <= STEPS; steps++) {
      double here = cost.of(bins, grid, candidates.of(steps));
      if (here < least) {
        least = here;
        best = steps;
      }
    }
    return best;
  }

  /** The sum of squared differences between centers of bins and what they become. */
  static double squaredError(Histogram.Bins bins, Grid grid, ValueRange range) {
    AffineStep step = grid.step(range);
    double sum = 0;
    for (int bin = 0; bin < bins.size(); bin++) {
      double center = bins.center(bin);
      double error = center - grid.restore(center, step);
      sum += bins.counts()[bin] * error * error;
    }
    return sum;
  }

  /**
   * The divergence between the distribution and the quantized one, times the number of values and
   * less what is the same for all ranges. Bins with one code are what quantization cannot tell
   * apart: their values are spread evenly over them. Bins beyond the range are expected to hold one
   * value each, so that a lone outlier costs nothing and many values do.
   *
   * <p>With counts {@code n}, expected counts {@code m} and their sums {@code N} and {@code M},
   * {@code Σ n/N log((n/N) / (m/M))} is {@code (Σ n log n - Σ n log m) / N + log(M / N)}. As {@code
   * m} is one number for all bins of a code, one logarithm serves them all.
   */
  static double divergence(Histogram.Bins bins, Grid grid, ValueRange range) {
    AffineStep step = grid.step(range);
    double explained = 0;
    long total = 0;
    long expected = 0;
    int bin = 0;
    while (bin < bins.size()) {
      int code = grid.code(bins.center(bin), step);
      long inside = 0;
      int insideBins = 0;
      for (; bin < bins.size() && grid.code(bins.center(bin), step) == code; bin++) {
        long count = bins.counts()[bin];
        total += count;
        if (bins.touches(bin, range)) {
          inside += count;
          insideBins++;
        } else {
          expected++;
        }
      }
      if (insideBins > 0) {
        explained += inside * StrictMath.log((double) inside / insideBins);
        expected += inside;
      }
    }
    return total * StrictMath.log((double) expected) - explained;
  }
}
