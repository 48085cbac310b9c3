package dev.kvant.numerics.observer;

import dev.kvant.numerics.NonFiniteValueException;
import java.nio.FloatBuffer;

/**
 * Sees the values of a tensor, batch after batch, and then says which range to quantize.
 *
 * <p>The answer depends only on which values were seen, neither on their order nor on how they were
 * cut into batches or spread over observers that were merged. For use by one thread.
 *
 * @since 0.1.0
 */
public interface RangeObserver {

  /**
   * Sees values.
   *
   * @param values the values from position to limit; the position is left as it is
   * @param firstIndex the index of the first of them in their tensor, for errors
   * @throws NonFiniteValueException if one is NaN or infinite
   */
  void observe(FloatBuffer values, long firstIndex);

  /**
   * Adds what another observer of the same kind has seen.
   *
   * @param other the other one, which is left as it is
   * @throws IllegalArgumentException if it is of another kind
   */
  void merge(RangeObserver other);

  /**
   * Sees all values that a histogram has counted.
   *
   * @param counted the histogram, which is left as it is
   */
  void observe(Histogram counted);

  /**
   * Returns whether no value was seen yet.
   *
   * @return true until {@link #observe} was given a value
   */
  boolean isEmpty();

  /**
   * Returns the range to quantize.
   *
   * @param grid what the values will be quantized to
   * @return the range; values beyond it will be clamped
   * @throws IllegalStateException if no value was seen
   */
  ValueRange range(Grid grid);

  /**
   * Returns an observer whose range reaches from the smallest value to the largest.
   *
   * @return a new one
   */
  static RangeObserver minmax() {
    return new MinMaxObserver();
  }

  /**
   * Returns an observer whose range holds a percentage of the values.
   *
   * <p>For a symmetric grid, the smallest {@code amax} with at least that percentage of the
   * magnitudes below or at it. Else half of the rest is cut off at either end. Ends lie on the ends
   * of bins of a {@link Histogram}, or at the extreme values where these come first.
   *
   * @param percentage above 0, at most 100
   * @return a new one
   * @throws IllegalArgumentException if the percentage is out of range
   */
  static RangeObserver percentile(double percentage) {
    return new HistogramObserver(new PercentileSearch(percentage));
  }

  /**
   * Returns an observer whose range loses the least information.
   *
   * <p>Minimizes the Kullback-Leibler divergence {@code Σ p log(p / q)} between the distribution
   * {@code p} of the values over the bins of a {@link Histogram} and {@code q}, the one that is
   * left after quantization: values with one code are spread evenly over their bins, and bins
   * beyond the range are expected to hold one value each. Zeros take no part, since any grid holds
   * them exactly.
   *
   * <p>Counts of a few values tell nothing about a distribution: where each bin holds one, bins
   * beyond the range hold just what is expected of them, and clipping costs nothing. So {@code 2^k}
   * neighbouring bins are pooled first, {@code k} being the smallest at which the bins that are not
   * empty hold 16 values on average. With some thousand values or less these bins are wider than
   * the steps of the type, and the range is the whole one, as {@link #minmax} has it.
   *
   * <p>The ends of the ranges that are compared shrink by the factor 2<sup>-1/24</sup> at a time,
   * down to 1/64 of the extreme values. Source: after Migacz, 8-bit inference with TensorRT, 2017,
   * where {@code p} is clamped first, so that a range which clamps everything would look perfect.
   *
   * @return a new one
   */
  static RangeObserver entropy() {
    return new HistogramObserver(new CostSearch(CostSearch::divergence, CostSearch.TELLING_COUNT));
  }

  /**
   * Returns an observer whose range has the least mean squared error.
   *
   * <p>Minimizes {@code Σ n (x - x̂)²} over the bins of a {@link Histogram} with counts {@code n}
   * and centers {@code x}, {@code x̂} being {@code x} quantized, over ranges whose ends shrink by
   * the factor 2<sup>-1/24</sup> at a time, down to 1/64 of the extreme values.
   *
   * @return a new one
   */
  static RangeObserver meanSquaredError() {
    return new HistogramObserver(new CostSearch(CostSearch::squaredError, 0));
  }
}
