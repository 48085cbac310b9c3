package dev.kvant.runtime.evaluation;

import java.util.Arrays;

/** Collects the times of batches. */
final class Latency {

  private static final double NANOS_PER_MILLI = 1_000_000;

  private long[] nanos = new long[16];
  private int count;

  void add(long elapsedNanos) {
    if (count == nanos.length) {
      nanos = Arrays.copyOf(nanos, 2 * count);
    }
    nanos[count++] = elapsedNanos;
  }

  /** The middle one, or the mean of the two in the middle. */
  double medianMillis() {
    long[] sorted = Arrays.copyOf(nanos, count);
    Arrays.sort(sorted);
    double median =
        count % 2 == 1
            ? sorted[count / 2]
            : (sorted[count / 2 - 1] + (double) sorted[count / 2]) / 2;
    return median / NANOS_PER_MILLI;
  }
}
