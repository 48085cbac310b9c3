package dev.kvant.spi;

/**
 * What calibration observes of a tensor.
 *
 * @since 0.1.0
 */
public enum Observation {
  /** The smallest and the largest value. */
  EXTREMES,

  /** The distribution of the values as well, as a histogram. */
  DISTRIBUTION,

  /**
   * The range of each channel of the last axis and a sample of rows as well, see {@link
   * dev.kvant.numerics.observer.ChannelStatistics}. Only backends ask for it.
   */
  CHANNELS,

  /** The sums of squares of each channel of the last axis as well. Only backends ask for it. */
  SQUARES,

  /**
   * The sums of products of all channels of the last axis as well, see {@link
   * dev.kvant.numerics.observer.Gram}. Only backends ask for it.
   */
  PRODUCTS;

  /** What shows all that either shows: the one that is listed later. */
  public Observation or(Observation other) {
    return compareTo(other) < 0 ? other : this;
  }
}
