package dev.kvant.numerics.observer;

import java.util.stream.IntStream;

/** Shrinks a range while that lowers the cost of quantization. */
final class CostSearch implements HistogramObserver.Search {

  /**
   * The cost of quantizing the values of a histogram with a step that spans a range. If the cost
   * reaches the limit, any number not below the limit may be returned.
   */
  @FunctionalInterface
  interface Cost {
    double of(BinSums sums, Grid grid, ValueRange range, double limit);
  }

  /** The number of values in a bin, on average, for its count to estimate their probability. */
  static final double TELLING_COUNT = 16;

  /** Ranges are halved in so many steps of equal proportion. */
  private static final int STEPS_PER_HALF = 24;

  /** The shortest candidate range is 1/64 of the whole. */
  private static final int STEPS = 6 * STEPS_PER_HALF;

  /** The number of passes over the ends of an asymmetric range. */
  private static final int ROUNDS = 3;

  /** The factor of a range after that many steps. */
  private static final double[] FACTORS =
      IntStream.rangeClosed(0, STEPS)
          .mapToDouble(steps -> StrictMath.pow(2, -(double) steps / STEPS_PER_HALF))
          .toArray();

  private final Cost cost;
  private final double mean;

  /**
   * A search for the minimum cost.
   *
   * @param mean the number of values in a bin on average; narrower bins are pooled
   */
  CostSearch(Cost cost, double mean) {
    this.cost = cost;
    this.mean = mean;
  }

  @Override
  public ValueRange range(Histogram histogram, Grid grid) {
    BinSums sums = BinSums.of(histogram.bins(mean));
    ValueRange whole = histogram.range();
    if (grid.isSymmetric()) {
      float amax = whole.amax();
      int steps = best(sums, grid, each -> new ValueRange(-shrunk(amax, each), shrunk(amax, each)));
      return new ValueRange(-shrunk(amax, steps), shrunk(amax, steps));
    }
    float min = Math.min(whole.min(), 0);
    float max = Math.max(whole.max(), 0);
    int lower = 0;
    int upper = 0;
    for (int round = 0; round < ROUNDS; round++) {
      int lowerBefore = lower;
      int upperBefore = upper;
      upper = best(sums, grid, each -> new ValueRange(shrunk(min, lowerBefore), shrunk(max, each)));
      int newUpper = upper;
      lower =
          min == 0
              ? 0
              : best(sums, grid, each -> new ValueRange(shrunk(min, each), shrunk(max, newUpper)));
      if (lower == lowerBefore && upper == upperBefore) {
        break;
      }
    }
    return new ValueRange(shrunk(min, lower), shrunk(max, upper));
  }

  private static float shrunk(float end, int steps) {
    return (float) (end * FACTORS[steps]);
  }

  @FunctionalInterface
  private interface Candidates {
    ValueRange of(int steps);
  }

  /** The number of steps with the minimum cost; the larger range if two costs are equal. */
  private int best(BinSums sums, Grid grid, Candidates candidates) {
    int best = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int steps = 0; steps <= STEPS; steps++) {
      double here = cost.of(sums, grid, candidates.of(steps), least);
      if (here < least) {
        least = here;
        best = steps;
      }
    }
    return best;
  }

  /** The sum of squared differences between centers of bins and their quantized values. */
  static double squaredError(BinSums sums, Grid grid, ValueRange range, double limit) {
    AffineStep step = grid.step(range);
    double sum = 0;
    int end;
    for (int bin = 0; bin < sums.size() && sum < limit; bin = end) {
      end = sums.endOfCode(bin, sums.size(), grid, step);
      sum += sums.squaredError(bin, end, grid.restore(sums.center(bin), step));
    }
    return sum;
  }

  /**
   * The divergence between the distribution and the quantized one, times the number of values and
   * without the terms that are the same for all ranges. Quantization does not distinguish bins with
   * one code: their values are distributed evenly over them. Bins beyond the range are expected to
   * contain one value each, so that a single outlier costs nothing and many values do.
   *
   * <p>With counts {@code n}, expected counts {@code m} and their sums {@code N} and {@code M},
   * {@code Σ n/N log((n/N) / (m/M))} is {@code (Σ n log n - Σ n log m) / N + log(M / N)}. As {@code
   * m} is one number for all bins of a code, one logarithm is sufficient for them.
   */
  static double divergence(BinSums sums, Grid grid, ValueRange range, double limit) {
    AffineStep step = grid.step(range);
    int first = sums.first(range);
    int last = sums.last(range);
    double explained = 0;
    int end;
    for (int bin = first; bin < last; bin = end) {
      end = sums.endOfCode(bin, last, grid, step);
      long inside = sums.count(bin, end);
      explained += inside * StrictMath.log((double) inside / (end - bin));
    }
    int outside = sums.size() - (last - first);
    long expected = sums.count(first, last) + outside;
    return sums.count(0, sums.size()) * StrictMath.log((double) expected) - explained;
  }
}
