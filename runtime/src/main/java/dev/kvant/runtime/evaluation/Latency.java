package dev.kvant.runtime.evaluation;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Collects the times of batches. */
final class Latency {

  private static final double NANOS_PER_MILLI = 1_000_000;

  /** How many times are listed. */
  static final int LISTED = 200;

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
    long[] sorted = sorted();
    double median =
        count % 2 == 1
            ? sorted[count / 2]
            : (sorted[count / 2 - 1] + (double) sorted[count / 2]) / 2;
    return median / NANOS_PER_MILLI;
  }

  /**
   * The times in ascending order; of more than {@value #LISTED}, as many at even distances in that
   * order, the first and the last included.
   */
  List<Double> millis() {
    long[] sorted = sorted();
    int listed = Math.min(count, LISTED);
    return IntStream.range(0, listed)
        .map(i -> count <= LISTED ? i : (int) ((long) i * (count - 1) / (LISTED - 1)))
        .mapToObj(i -> sorted[i] / NANOS_PER_MILLI)
        .toList();
  }

  private long[] sorted() {
    long[] sorted = Arrays.copyOf(nanos, count);
    Arrays.sort(sorted);
    return sorted;
  }
}
