package dev.kvant.runtime.evaluation;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The rank correlation of two series, -1 to 1: Pearson's correlation of their ranks, where equal
 * values share the mean of their ranks (Spearman, The proof and measurement of association between
 * two things, 1904). NaN if all values of a series are equal.
 */
final class SpearmanCorrelation {

  private SpearmanCorrelation() {}

  /**
   * @param one values
   * @param other as many
   */
  static double of(double[] one, double[] other) {
    double[] x = ranks(one);
    double[] y = ranks(other);
    double mean = (x.length - 1) / 2.0;
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (int i = 0; i < x.length; i++) {
      xy += (x[i] - mean) * (y[i] - mean);
      xx += (x[i] - mean) * (x[i] - mean);
      yy += (y[i] - mean) * (y[i] - mean);
    }
    return xy / Math.sqrt(xx * yy);
  }

  private static double[] ranks(double[] values) {
    int[] order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> values[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] ranks = new double[values.length];
    int start = 0;
    while (start < order.length) {
      int end = start;
      while (end + 1 < order.length && values[order[end + 1]] == values[order[start]]) {
        end++;
      }
      for (int i = start; i <= end; i++) {
        ranks[order[i]] = (start + end) / 2.0;
      }
      start = end + 1;
    }
    return ranks;
  }
}
