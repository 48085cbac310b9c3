package dev.kvant.numerics.observer;

import java.nio.FloatBuffer;
import java.util.Objects;
import java.util.Optional;

/**
 * What was observed of one tensor. Independent of the order of the values, of the batches that they
 * came in, and of how they were spread over statistics that were merged.
 *
 * @param range the smallest and the largest value, exactly
 * @param histogram how the values are distributed, if that was observed
 * @param channels what was observed of the channels of the last axis, if that was
 * @param ignored how many values were left out because they are NaN or infinite, at least 0
 * @param products the sums of products of the channels of the last axis, if these were observed; in
 *     a sum the only part that may depend, in its last bits, on how the values were spread
 * @since 0.1.0
 */
public record TensorStatistics(
    ValueRange range,
    Optional<Histogram> histogram,
    Optional<ChannelStatistics> channels,
    long ignored,
    Optional<Gram> products) {

  public TensorStatistics {
    Objects.requireNonNull(range, "range");
    Objects.requireNonNull(histogram, "histogram");
    Objects.requireNonNull(channels, "channels");
    if (ignored < 0) {
      throw new IllegalArgumentException("ignored must be at least 0, was " + ignored);
    }
    Objects.requireNonNull(products, "products");
  }

  /** Statistics of the smallest and the largest value alone. */
  public static TensorStatistics of(ValueRange range) {
    return new TensorStatistics(range, Optional.empty(), Optional.empty(), 0, Optional.empty());
  }

  /**
   * Statistics of all values that a histogram counted.
   *
   * @param histogram counted at least one value
   */
  public static TensorStatistics of(Histogram histogram) {
    return new TensorStatistics(
        histogram.range(), Optional.of(histogram), Optional.empty(), 0, Optional.empty());
  }

  /** The same statistics, of values among which so many were left out. */
  public TensorStatistics with(long leftOut) {
    return new TensorStatistics(range, histogram, channels, leftOut, products);
  }

  /** The same statistics with sums of products. */
  public TensorStatistics with(Gram sums) {
    return new TensorStatistics(range, histogram, channels, ignored, Optional.of(sums));
  }

  /**
   * Adds what was observed elsewhere. The sum has a histogram where both have one, and channels and
   * products where both have them.
   *
   * @param other the other statistics, which stay as they are
   * @return the statistics of all values
   * @throws IllegalArgumentException if both have channels, and not the same number
   */
  public TensorStatistics plus(TensorStatistics other) {
    var both =
        new ValueRange(
            Math.min(range.min(), other.range.min()), Math.max(range.max(), other.range.max()));
    Optional<ChannelStatistics> bothChannels =
        channels.isEmpty() || other.channels.isEmpty()
            ? Optional.empty()
            : Optional.of(channels.get().plus(other.channels.get()));
    Optional<Gram> bothProducts =
        products.isEmpty() || other.products.isEmpty()
            ? Optional.empty()
            : Optional.of(products.get().plus(other.products.get()));
    if (histogram.isEmpty() || other.histogram.isEmpty()) {
      return new TensorStatistics(
          both, Optional.empty(), bothChannels, ignored + other.ignored, bothProducts);
    }
    var counted = new Histogram();
    counted.merge(histogram.get());
    counted.merge(other.histogram.get());
    return new TensorStatistics(
        both, Optional.of(counted), bothChannels, ignored + other.ignored, bothProducts);
  }

  /**
   * Shows an observer all that is known of the values.
   *
   * @param observer one that searches in a histogram finds no better range than {@link #range} in
   *     statistics without one
   */
  public void showTo(RangeObserver observer) {
    if (histogram.isPresent()) {
      observer.observe(histogram.get());
    } else {
      observer.observe(FloatBuffer.wrap(new float[] {range.min(), range.max()}), 0);
    }
  }
}
