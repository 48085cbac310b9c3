package dev.kvant.numerics.observer;

import dev.kvant.numerics.NonFiniteValueException;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * Observes the values of a tensor, batch by batch, and returns the range to quantize.
 *
 * <p>The range depends only on the observed values, not on their order, on their division into
 * batches, or on the number of merged observers. For use by one thread.
 *
 * @since 0.1.0
 */
public interface RangeObserver {

  /**
   * Observes values.
   *
   * @param values the values from position to limit; the position stays unchanged
   * @param firstIndex the index of the first of them in their tensor, for errors
   * @throws NonFiniteValueException if one is NaN or infinite
   */
  void observe(FloatBuffer values, long firstIndex);

  /**
   * Adds the observations of another observer of the same kind.
   *
   * @param other the other one, which stays unchanged
   * @throws IllegalArgumentException if it is of another kind
   */
  void merge(RangeObserver other);

  /**
   * Observes all values of a histogram.
   *
   * @param counted the histogram, which stays unchanged
   */
  void observe(Histogram counted);

  /**
   * Returns whether no value was observed yet.
   *
   * @return true until {@link #observe} was given a value
   */
  boolean isEmpty();

  /**
   * Returns the range to quantize.
   *
   * @param grid the values after quantization
   * @return the range; values beyond it will be clamped
   * @throws IllegalStateException if no value was observed
   */
  ValueRange range(Grid grid);

  /**
   * Returns an observer with the range from the smallest value to the largest.
   *
   * @return a new one
   */
  static RangeObserver minmax() {
    return new MinMaxObserver();
  }

  /**
   * Returns an observer with a range that contains a percentage of the values.
   *
   * <p>For a symmetric grid, the smallest {@code amax} with at least that percentage of the
   * magnitudes below or at it. Otherwise half of the rest is clipped at either end. Ends of the
   * range are ends of bins of a {@link Histogram}, or the extreme values if these are closer to
   * zero.
   *
   * @param percentage above 0, at most 100
   * @return a new one
   * @throws IllegalArgumentException if the percentage is out of range
   */
  static RangeObserver percentile(double percentage) {
    return new HistogramObserver(new PercentileSearch(percentage));
  }

  /**
   * Returns an observer with the range of minimum Kullback-Leibler divergence.
   *
   * <p>Minimizes the Kullback-Leibler divergence {@code Σ p log(p / q)} between the distribution
   * {@code p} of the values over the bins of a {@link Histogram} and {@code q}, the distribution
   * after quantization: values with one code are distributed evenly over their bins, and bins
   * beyond the range are expected to contain one value each. Zeros are ignored, because any grid
   * represents them exactly.
   *
   * <p>Counts of a few values do not estimate a distribution: if each bin contains one value, bins
   * beyond the range contain exactly the expected count, and clipping costs nothing. Therefore
   * {@code 2^k} neighboring bins are pooled first, with the smallest {@code k} at which the
   * non-empty bins contain 16 values on average. With some thousand values or fewer these bins are
   * wider than the steps of the type, and the range is the whole one, as for {@link #minmax}.
   *
   * <p>The ends of the compared ranges shrink by the factor 2<sup>-1/24</sup> at a time, down to
   * 1/64 of the extreme values. Source: after Migacz, 8-bit inference with TensorRT, 2017, where
   * {@code p} is clamped first, so that a range that clamps everything has no cost.
   *
   * @return a new one
   */
  static RangeObserver entropy() {
    return new HistogramObserver(new CostSearch(CostSearch::divergence, CostSearch.TELLING_COUNT));
  }

  /**
   * Returns an observer with the range of minimum mean squared error.
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

  /**
   * Returns an observer whose range has the least error behind the functions that read the values.
   *
   * <p>Minimizes {@code Σ_f Σ n (f(x) - f(x̂))² / Σ n f(x)²} over the same ranges as {@link
   * #meanSquaredError}. Where the functions are flat, such as SiLU and Sigmoid below -8, steps are
   * not spent on values that nobody can tell apart: what is read gets the finer steps.
   *
   * @param functions what reads the values; at least one
   * @return a new one
   * @throws IllegalArgumentException if there is no function
   */
  static RangeObserver leastErrorBehind(List<? extends DoubleUnaryOperator> functions) {
    if (functions.isEmpty()) {
      throw new IllegalArgumentException("functions: at least one is needed");
    }
    return new HistogramObserver(new ResponseSearch(List.copyOf(functions)));
  }
}
