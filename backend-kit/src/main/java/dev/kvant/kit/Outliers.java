package dev.kvant.kit;

import dev.kvant.numerics.observer.Histogram;
import dev.kvant.numerics.observer.TensorStatistics;
import java.util.Locale;
import java.util.Optional;

/**
 * How much of a tensor a few large values cost the others.
 *
 * <p>The codes of a range are {@code scale} apart, so values below {@code scale / 2} become 0.
 * Where values are spread over their range, as behind a Softmax, the small ones are of little
 * weight. They are lost to outliers where hardly any value is large.
 *
 * @param largest the largest magnitude
 * @param share the share of the values other than 0 that become 0, from {@link #LEAST_SHARE} to 1
 * @since 0.1.0
 */
public record Outliers(double largest, double share) {

  /** The share of values at which a loss is one. */
  private static final double LEAST_SHARE = 0.5;

  /** The part of the largest magnitude from which values are large. */
  private static final double LARGE = 1.0 / 8;

  /** The share of large values up to which they are outliers. */
  private static final double MOST_LARGE = 1e-3;

  /**
   * The loss, if it is one.
   *
   * @param scale the distance of the integer codes that the tensor gets
   * @param seen what was observed of the tensor
   * @return empty too if the distribution was not observed
   */
  public static Optional<Outliers> of(double scale, TensorStatistics seen) {
    Histogram histogram = seen.histogram().orElse(null);
    if (histogram == null) {
      return Optional.empty();
    }
    double values = histogram.total() - histogram.zeros();
    double largest = Math.max(Math.abs(seen.range().min()), Math.abs(seen.range().max()));
    double large = (values - histogram.below(LARGE * largest)) / values;
    double share = histogram.below(scale / 2) / values;
    return share >= LEAST_SHARE && large <= MOST_LARGE
        ? Optional.of(new Outliers(largest, share))
        : Optional.empty();
  }

  /** What to do, as a request. */
  public static String remedy() {
    return "leave its activations native, or choose algorithm mse if the large values do not"
        + " matter";
  }

  /** The second half of a sentence about the tensor. */
  public String why() {
    double percent = 100 * share;
    String printed =
        percent > 99.9 && share < 1
            ? "more than 99.9 %"
            : String.format(Locale.ROOT, "%.1f %%", percent);
    return String.format(
        Locale.ROOT,
        "has a few values up to %.3g, and %s of the others become 0",
        largest,
        printed);
  }
}
