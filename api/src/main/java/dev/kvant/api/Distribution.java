package dev.kvant.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the values of one operand of one module are distributed, and the range that codes hold of
 * them.
 *
 * @param from the lower end of the first bin
 * @param to the upper end of the last bin, at least {@code from}
 * @param counts how many of the counted values are in each bin, all bins of one width, from 1 to
 *     {@value #MOST_BINS} of them; exact zeros count too
 * @param low the smallest value that codes hold
 * @param high the largest value that codes hold; of an operand with several scales that of the
 *     widest range
 * @param criterion what the range was chosen by, or null if no range was searched
 * @param candidates some of the ranges that the search compared, the widest first; empty without a
 *     criterion
 * @since 0.1.0
 */
public record Distribution(
    double from,
    double to,
    List<Long> counts,
    double low,
    double high,
    @Nullable Criterion criterion,
    List<Candidate> candidates) {

  /** The largest number of bins. */
  public static final int MOST_BINS = 128;

  /**
   * What a range is chosen by.
   *
   * @since 0.1.0
   */
  public enum Criterion {
    /** The ratio of the power of values to that of their quantization error, in decibels. */
    SQNR,
    /** How many nats per value the divergence is above that of the best candidate. */
    DIVERGENCE,
    /** The share of the values that the range holds, from 0 to 1. */
    HELD
  }

  /**
   * A range that was compared.
   *
   * @param amax the larger magnitude of its two ends
   * @param figure the criterion's figure of it
   * @since 0.1.0
   */
  public record Candidate(double amax, double figure) {}

  public Distribution {
    counts = List.copyOf(counts);
    candidates = List.copyOf(candidates);
    if (counts.isEmpty() || counts.size() > MOST_BINS) {
      throw new IllegalArgumentException(
          "counts must be of 1 to %d bins, were of %d".formatted(MOST_BINS, counts.size()));
    }
    if (!(from <= to) || !(low <= high)) {
      throw new IllegalArgumentException(
          "from and low must not be above to and high, were %s to %s and %s to %s"
              .formatted(from, to, low, high));
    }
    if (criterion == null && !candidates.isEmpty()) {
      throw new IllegalArgumentException("candidates: have no criterion");
    }
  }
}
