package dev.kvant.numerics.observer;

import java.util.function.DoubleUnaryOperator;

/**
 * Sums over consecutive bins of a histogram, each computed by one subtraction.
 *
 * <p>Bins with one code are found by doubling steps and bisection. That takes a few look-ups for
 * each of at most 256 codes, for any number of bins.
 */
final class BinSums {

  private final Histogram.Bins bins;

  /** Each entry is the sum of the bins before it. */
  private final long[] counts;

  /** The same for count times the center or what a function makes of it. */
  private final double[] values;

  /** The same for its square. */
  private final double[] squares;

  private BinSums(Histogram.Bins bins, long[] counts, double[] values, double[] squares) {
    this.bins = bins;
    this.counts = counts;
    this.values = values;
    this.squares = squares;
  }

  static BinSums of(Histogram.Bins bins) {
    return of(bins, DoubleUnaryOperator.identity());
  }

  /** Sums of what a function makes of the centers; codes are still those of the centers. */
  static BinSums of(Histogram.Bins bins, DoubleUnaryOperator function) {
    long[] counts = new long[bins.size() + 1];
    double[] values = new double[bins.size() + 1];
    double[] squares = new double[bins.size() + 1];
    for (int bin = 0; bin < bins.size(); bin++) {
      long count = bins.counts()[bin];
      double value = function.applyAsDouble(bins.center(bin));
      counts[bin + 1] = counts[bin] + count;
      values[bin + 1] = values[bin] + count * value;
      squares[bin + 1] = squares[bin] + count * value * value;
    }
    return new BinSums(bins, counts, values, squares);
  }

  int size() {
    return bins.size();
  }

  double center(int bin) {
    return bins.center(bin);
  }

  /** The number of values in the bins {@code [from, to)}. */
  long count(int from, int to) {
    return counts[to] - counts[from];
  }

  /** The squared distance of the summed values of bins {@code [from, to)} from a value. */
  double squaredError(int from, int to, double value) {
    double error =
        squares[to]
            - squares[from]
            - 2 * value * (values[to] - values[from])
            + value * value * count(from, to);
    return Math.max(0, error);
  }

  /** The first bin that overlaps a range, or the index behind the last bin. */
  int first(ValueRange range) {
    int from = 0;
    int to = size();
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (bins.upper(middle) < range.min()) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  /** The index behind the last bin that overlaps a range. */
  int last(ValueRange range) {
    int from = 0;
    int to = size();
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (bins.lower()[middle] <= range.max()) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  /** The index behind the last bin before {@code end} that has the same code as a bin. */
  int endOfCode(int bin, int end, Grid grid, AffineStep step) {
    int code = grid.code(center(bin), step);
    int same = bin;
    int reach = 1;
    while (bin + reach < end && grid.code(center(bin + reach), step) == code) {
      same = bin + reach;
      reach *= 2;
    }
    int other = Math.min(end, bin + reach);
    while (other - same > 1) {
      int middle = (same + other) >>> 1;
      if (grid.code(center(middle), step) == code) {
        same = middle;
      } else {
        other = middle;
      }
    }
    return other;
  }
}
