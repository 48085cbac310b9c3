package dev.kvant.runtime.tuning;

import java.time.Duration;

/** Estimates from what is done how long the rest takes. */
final class RemainingTime {

  private final long start = System.nanoTime();
  private final long total;
  private long done;

  /**
   * @param total how many units there are
   */
  RemainingTime(long total) {
    this.total = total;
  }

  /** The estimate once some more units are done, as in {@code 2 min 5 s left}. */
  String after(long units) {
    done += units;
    double nanos = (System.nanoTime() - start) / (double) done * Math.max(0, total - done);
    return text(Duration.ofNanos((long) nanos)) + " left";
  }

  /** A duration in minutes and seconds. */
  static String text(Duration duration) {
    long seconds = Math.round(duration.toMillis() / 1000.0);
    return seconds < 60 ? seconds + " s" : "%d min %d s".formatted(seconds / 60, seconds % 60);
  }
}
