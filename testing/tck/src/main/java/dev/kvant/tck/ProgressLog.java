package dev.kvant.tck;

import dev.kvant.api.Progress;
import dev.kvant.api.QuantizationListener;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Records progress, and can interrupt the reporting thread. */
final class ProgressLog implements QuantizationListener {

  private final int interruptAt;
  private final List<Progress> heard = new ArrayList<>();
  private final Set<Thread> threads = new LinkedHashSet<>();

  private ProgressLog(int interruptAt) {
    this.interruptAt = interruptAt;
  }

  /** A log that only records. */
  static ProgressLog silent() {
    return new ProgressLog(-1);
  }

  /** A log that interrupts the reporting thread at the report of that index. */
  static ProgressLog interruptingAt(int report) {
    return new ProgressLog(report);
  }

  @Override
  public synchronized void onProgress(Progress progress) {
    if (heard.size() == interruptAt) {
      Thread.currentThread().interrupt();
    }
    heard.add(progress);
    threads.add(Thread.currentThread());
  }

  /** All reports, in order. */
  synchronized List<Progress> heard() {
    return List.copyOf(heard);
  }

  /** Who reported. */
  synchronized Set<Thread> threads() {
    return Set.copyOf(threads);
  }
}
