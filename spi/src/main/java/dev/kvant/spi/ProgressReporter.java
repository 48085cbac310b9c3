package dev.kvant.spi;

import dev.kvant.api.Progress;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationListener;
import java.util.Objects;

/**
 * Reports how far one long step has come, and ends it when its thread was interrupted. The one
 * place where a backend looks at the interrupt flag.
 *
 * @since 0.1.0
 */
public final class ProgressReporter {

  private final QuantizationListener listener;
  private final String step;
  private final String unit;
  private final long total;
  private long done;

  /**
   * Starts a step and reports that nothing is done yet.
   *
   * @param listener who hears
   * @param step what is done, as in {@code quantize}
   * @param total how many units there are, or -1 when unknown
   * @param unit what is counted, in the plural
   */
  public ProgressReporter(QuantizationListener listener, String step, long total, String unit) {
    this.listener = Objects.requireNonNull(listener, "listener");
    this.step = Objects.requireNonNull(step, "step");
    this.unit = Objects.requireNonNull(unit, "unit");
    this.total = total;
    listener.onProgress(new Progress(step, 0, total, unit, ""));
  }

  /**
   * Reports that some more units are done.
   *
   * @throws QuantizationCancelledException if the thread was interrupted
   */
  public void advance(long units, String item) {
    checkCancelled();
    done += units;
    listener.onProgress(new Progress(step, done, total, unit, item));
  }

  /**
   * Ends the step if the thread was interrupted; for use inside of a long unit. Leaves the
   * interrupt flag set.
   *
   * @throws QuantizationCancelledException if it was
   */
  public void checkCancelled() {
    if (Thread.currentThread().isInterrupted()) {
      throw new QuantizationCancelledException(
          "'%s' was interrupted after %d %s".formatted(step, done, unit));
    }
  }
}
