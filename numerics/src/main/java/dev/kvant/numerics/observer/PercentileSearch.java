package dev.kvant.numerics.observer;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Clips the rarest values at the ends. */
final class PercentileSearch implements HistogramObserver.Search {

  private final double percentage;

  PercentileSearch(double percentage) {
    if (!(percentage > 0 && percentage <= 100)) {
      throw new IllegalArgumentException(
          "percentage must be above 0 and at most 100, was " + percentage);
    }
    this.percentage = percentage;
  }

  @Override
  public ValueRange range(Histogram histogram, Grid grid) {
    return grid.isSymmetric() ? symmetric(histogram) : asymmetric(histogram);
  }

  private ValueRange symmetric(Histogram histogram) {
    Histogram.Bins bins = histogram.bins();
    double[] outer = new double[bins.size()];
    for (int bin = 0; bin < outer.length; bin++) {
      outer[bin] = Math.max(-bins.lower()[bin], bins.upper(bin));
    }
    int[] byMagnitude =
        IntStream.range(0, outer.length)
            .boxed()
            .sorted((a, b) -> Double.compare(outer[a], outer[b]))
            .mapToInt(Integer::intValue)
            .toArray();
    double wanted = percentage / 100 * histogram.total();
    double amax = 0;
    long held = histogram.zeros();
    for (int i = 0; i < byMagnitude.length && held < wanted; i++) {
      held += bins.counts()[byMagnitude[i]];
      amax = outer[byMagnitude[i]];
    }
    float end = (float) Math.min(amax, histogram.range().amax());
    return new ValueRange(-end, end);
  }

  private ValueRange asymmetric(Histogram histogram) {
    Histogram.Bins bins = histogram.bins();
    long total = histogram.total();
    double cut = (100 - percentage) / 200 * total;
    ValueRange whole = histogram.range();
    long negatives =
        IntStream.range(0, bins.size())
            .filter(bin -> bins.lower()[bin] < 0)
            .mapToLong(bin -> bins.counts()[bin])
            .sum();
    float min = Math.min(whole.min(), 0);
    long below = 0;
    for (int bin = 0; bin < bins.size() && bins.lower()[bin] < 0; bin++) {
      min = (float) Math.max(whole.min(), bins.lower()[bin]);
      below += bins.counts()[bin];
      if (below > cut) {
        break;
      }
    }
    if (negatives <= cut) {
      min = Math.max(0, whole.min());
    }
    float max = Math.max(whole.max(), 0);
    long positives = Arrays.stream(bins.counts()).sum() - negatives;
    long above = 0;
    for (int bin = bins.size() - 1; bin >= 0 && bins.lower()[bin] >= 0; bin--) {
      max = (float) Math.min(whole.max(), bins.upper(bin));
      above += bins.counts()[bin];
      if (above > cut) {
        break;
      }
    }
    if (positives <= cut) {
      max = Math.min(0, whole.max());
    }
    return new ValueRange(Math.min(min, max), Math.max(min, max));
  }
}
