package dev.kvant.runtime.evaluation;

import dev.kvant.api.Experimental;
import dev.kvant.api.Internal;
import java.util.Arrays;

/**
 * The time of two models for the same batch, run in turns, so that what else the machine does slows
 * both.
 *
 * <p>A pair runs both models once, the first one first in every other pair. The speedup of a pair
 * is {@code reference / model}; the speedup of all pairs is their median. The interval holds the
 * true median with a probability of about 95 %: it ends at the order statistics {@code n/2 ±
 * 0.98·√n} (Conover, Practical Nonparametric Statistics, section 3.2).
 *
 * @param referenceMillis the median time of the reference for a batch, in milliseconds
 * @param modelMillis the median time of the model for a batch, in milliseconds
 * @param speedup how many times as fast as the reference the model is
 * @param low the lower end of the interval of the speedup
 * @param high the upper end
 * @param pairs how many pairs there were
 * @since 0.1.0
 */
@Experimental
public record PairedLatency(
    double referenceMillis,
    double modelMillis,
    double speedup,
    double low,
    double high,
    int pairs) {

  /** Half the width of the interval in standard deviations of a rank: 1.96 / 2. */
  private static final double HALF_WIDTH = 0.98;

  private static final double NANOS_PER_MILLI = 1_000_000;

  /**
   * From times that were measured in pairs.
   *
   * @param reference the times of the reference, in nanoseconds, at least one
   * @param model the times of the model, as many
   * @throws IllegalArgumentException if there is none, or not as many of both
   */
  public static PairedLatency of(long[] reference, long[] model) {
    int pairs = reference.length;
    if (pairs == 0 || model.length != pairs) {
      throw new IllegalArgumentException(
          "model: must hold as many times as reference, at least one, but holds %d and %d"
              .formatted(model.length, pairs));
    }
    double[] ratios = new double[pairs];
    for (int i = 0; i < pairs; i++) {
      ratios[i] = (double) reference[i] / model[i];
    }
    Arrays.sort(ratios);
    double reach = HALF_WIDTH * Math.sqrt(pairs);
    int low = (int) Math.max(0, Math.floor(pairs / 2.0 - reach));
    int high = (int) Math.min(pairs - 1, Math.ceil(pairs / 2.0 + reach));
    return new PairedLatency(
        median(sorted(reference)) / NANOS_PER_MILLI,
        median(sorted(model)) / NANOS_PER_MILLI,
        median(ratios),
        ratios[low],
        ratios[high],
        pairs);
  }

  /** Runs both models in turns, after a first run of each that does not count. */
  @Internal
  public static PairedLatency measure(
      Runnable reference, Runnable model, int minPairs, int maxPairs, long maxNanos) {
    reference.run();
    model.run();
    long[] references = new long[maxPairs];
    long[] models = new long[maxPairs];
    long start = System.nanoTime();
    int pairs = 0;
    while (pairs < minPairs || (pairs < maxPairs && System.nanoTime() - start < maxNanos)) {
      if (pairs % 2 == 0) {
        references[pairs] = nanos(reference);
        models[pairs] = nanos(model);
      } else {
        models[pairs] = nanos(model);
        references[pairs] = nanos(reference);
      }
      pairs++;
    }
    return of(Arrays.copyOf(references, pairs), Arrays.copyOf(models, pairs));
  }

  private static long nanos(Runnable run) {
    long start = System.nanoTime();
    run.run();
    return Math.max(1, System.nanoTime() - start);
  }

  private static double[] sorted(long[] values) {
    return Arrays.stream(values).sorted().asDoubleStream().toArray();
  }

  private static double median(double[] sorted) {
    int count = sorted.length;
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
  }
}
