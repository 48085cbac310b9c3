package dev.kvant.numerics.observer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What a search for a range sees: the figure of each range whose ends are the extreme values, or
 * both shrunk by one factor. Shows why a range was chosen; of an asymmetric grid the search moves
 * the two ends apart from each other as well.
 *
 * <p>The factors are {@code 2^(-k/6)} for {@code k} from 0 to 36, every fourth one of those that
 * {@link RangeObserver#meanSquaredError} and {@link RangeObserver#entropy} compare.
 *
 * @since 0.1.0
 */
public final class RangeCurve {

  private static final int STEPS = 36;
  private static final int STEPS_PER_HALF = 6;

  /** 10 log10 of a ratio is a number of decibels. */
  private static final double DECIBELS = 10;

  /**
   * A range with its figure.
   *
   * @param amax the larger magnitude of its ends
   * @param figure what a search judges it by
   * @since 0.1.0
   */
  public record Point(double amax, double figure) {}

  private RangeCurve() {}

  /**
   * The ratio of the power of the values to that of their quantization error, in decibels.
   *
   * @param histogram counted values other than zero
   * @param grid the values after quantization
   * @return the widest range first; without those that lose nothing
   * @throws IllegalStateException if no value was counted
   */
  public static List<Point> sqnr(Histogram histogram, Grid grid) {
    BinSums sums = BinSums.of(histogram.bins());
    double power = sums.squaredError(0, sums.size(), 0);
    List<Point> all =
        points(
            histogram,
            grid,
            range ->
                DECIBELS
                    * StrictMath.log10(
                        power
                            / CostSearch.squaredError(
                                sums, grid, range, Double.POSITIVE_INFINITY)));
    return all.stream().filter(point -> Double.isFinite(point.figure())).toList();
  }

  /**
   * The divergence of the quantized distribution from that of the values, in nats per value above
   * the least one.
   *
   * @param histogram counted values other than zero
   * @param grid the values after quantization, integers
   * @return the widest range first
   * @throws IllegalStateException if no value was counted
   */
  public static List<Point> divergence(Histogram histogram, Grid grid) {
    BinSums sums = BinSums.of(histogram.bins(CostSearch.TELLING_COUNT));
    double count = Math.max(1, histogram.total() - histogram.zeros());
    List<Point> all =
        points(
            histogram,
            grid,
            range -> CostSearch.divergence(sums, grid, range, Double.POSITIVE_INFINITY) / count);
    double least = all.stream().mapToDouble(Point::figure).min().orElse(0);
    return all.stream().map(point -> new Point(point.amax(), point.figure() - least)).toList();
  }

  /**
   * The share of the values that a range holds, to the width of a bin.
   *
   * @param histogram counted values
   * @param grid the values after quantization
   * @return the widest range first
   * @throws IllegalStateException if no value was counted
   */
  public static List<Point> held(Histogram histogram, Grid grid) {
    BinSums sums = BinSums.of(histogram.bins());
    return points(
        histogram,
        grid,
        range ->
            (double) (sums.count(sums.first(range), sums.last(range)) + histogram.zeros())
                / histogram.total());
  }

  private static List<Point> points(
      Histogram histogram, Grid grid, ToDoubleFunction<ValueRange> figure) {
    ValueRange whole = histogram.range();
    float min = grid.isSymmetric() ? -whole.amax() : Math.min(whole.min(), 0);
    float max = grid.isSymmetric() ? whole.amax() : Math.max(whole.max(), 0);
    List<Point> points = new ArrayList<>();
    for (int step = 0; step <= STEPS; step++) {
      double factor = StrictMath.pow(2, -(double) step / STEPS_PER_HALF);
      ValueRange range = new ValueRange((float) (min * factor), (float) (max * factor));
      points.add(new Point(range.amax(), figure.applyAsDouble(range)));
    }
    return points;
  }
}
