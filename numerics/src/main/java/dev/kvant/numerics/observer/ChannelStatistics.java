package dev.kvant.numerics.observer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What was observed of the channels of a tensor: its last axis, along which a linear layer sums.
 *
 * <p>The range of each channel is exact. The sample is of rows, each with one value for each
 * channel: the rows whose 64-bit hash is smallest, equal rows once. Both depend only on the rows
 * that were observed: not on their order, not on batches, and not on the number of statistics that
 * were merged.
 *
 * @since 0.1.0
 */
public final class ChannelStatistics {

  /** The largest number of rows in a sample. */
  public static final int MOST_ROWS = 256;

  /** The largest number of values in a sample of more than one row: 1 MiB. */
  public static final int MOST_VALUES = 1 << 18;

  private final float[] mins;
  private final float[] maxs;
  private final NavigableMap<Long, float[]> rows;

  ChannelStatistics(float[] mins, float[] maxs, NavigableMap<Long, float[]> rows) {
    this.mins = mins;
    this.maxs = maxs;
    this.rows = rows;
  }

  /**
   * Returns statistics with given ranges and rows.
   *
   * @param mins the smallest value of each channel, finite
   * @param maxs the largest value of each channel, finite and not below the smallest one
   * @param rows rows of as many values as there are channels
   * @return new statistics, with at most {@link #mostRows} of the rows
   * @throws IllegalArgumentException if there are no channels, their numbers differ, or a range is
   *     not one
   */
  public static ChannelStatistics of(float[] mins, float[] maxs, List<float[]> rows) {
    if (mins.length == 0 || mins.length != maxs.length) {
      throw new IllegalArgumentException(
          "mins and maxs must be of the same channels, at least one, were of %d and %d"
              .formatted(mins.length, maxs.length));
    }
    for (int channel = 0; channel < mins.length; channel++) {
      var unused = new ValueRange(mins[channel], maxs[channel]);
    }
    TreeMap<Long, float[]> hashed = new TreeMap<>();
    for (float[] row : rows) {
      if (row.length != mins.length) {
        throw new IllegalArgumentException(
            "rows must have %d values, one has %d".formatted(mins.length, row.length));
      }
      ChannelObserver.keep(hashed, row.clone(), mostRows(mins.length));
    }
    return new ChannelStatistics(mins.clone(), maxs.clone(), hashed);
  }

  /**
   * Returns how many rows a sample holds at most.
   *
   * @param channels the number of channels, at least 1
   * @return {@link #MOST_ROWS}, or fewer so that they have at most {@link #MOST_VALUES} values, but
   *     at least 1
   */
  public static int mostRows(int channels) {
    return Math.max(1, Math.min(MOST_ROWS, MOST_VALUES / channels));
  }

  /**
   * Returns the number of channels.
   *
   * @return at least 1
   */
  public int channels() {
    return mins.length;
  }

  /**
   * Returns the range of a channel.
   *
   * @param channel from 0 to before {@link #channels}
   * @return from its smallest to its largest value, exactly
   */
  public ValueRange range(int channel) {
    return new ValueRange(mins[channel], maxs[channel]);
  }

  /**
   * Returns the largest magnitude of each channel.
   *
   * @return one number for each channel, not negative
   */
  public float[] amax() {
    float[] amax = new float[mins.length];
    for (int channel = 0; channel < amax.length; channel++) {
      amax[channel] = range(channel).amax();
    }
    return amax;
  }

  /**
   * Returns the range of all values after each channel is multiplied by a number.
   *
   * @param multipliers a positive number for each channel
   * @return the range, exactly that of the products in float32
   * @throws IllegalArgumentException if there are not as many numbers as channels, or a product is
   *     not finite
   */
  public ValueRange scaledRange(float[] multipliers) {
    if (multipliers.length != mins.length) {
      throw new IllegalArgumentException(
          "multipliers must be of %d channels, were of %d"
              .formatted(mins.length, multipliers.length));
    }
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (int channel = 0; channel < mins.length; channel++) {
      min = Math.min(min, mins[channel] * multipliers[channel]);
      max = Math.max(max, maxs[channel] * multipliers[channel]);
    }
    return new ValueRange(min, max);
  }

  /**
   * Returns the sample.
   *
   * @return copies of its rows, in the order of their hashes
   */
  public List<float[]> rows() {
    List<float[]> copies = new ArrayList<>();
    rows.values().forEach(row -> copies.add(row.clone()));
    return copies;
  }

  /**
   * Adds what was observed elsewhere.
   *
   * @param other the other statistics, which stay unchanged
   * @return the statistics of all rows
   * @throws IllegalArgumentException if they have another number of channels
   */
  public ChannelStatistics plus(ChannelStatistics other) {
    var observer = new ChannelObserver();
    observer.merge(this);
    observer.merge(other);
    return observer.statistics().orElseThrow();
  }

  float[] mins() {
    return mins;
  }

  float[] maxs() {
    return maxs;
  }

  NavigableMap<Long, float[]> hashedRows() {
    return rows;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ChannelStatistics statistics
        && Arrays.equals(mins, statistics.mins)
        && Arrays.equals(maxs, statistics.maxs)
        && Arrays.deepEquals(
            rows.values().toArray(float[][]::new),
            statistics.rows.values().toArray(float[][]::new));
  }

  @Override
  public int hashCode() {
    return Objects.hash(Arrays.hashCode(mins), Arrays.hashCode(maxs), rows.keySet());
  }
}
