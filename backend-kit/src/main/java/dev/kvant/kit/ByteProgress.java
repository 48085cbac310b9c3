package dev.kvant.kit;

import dev.kvant.api.QuantizationListener;
import dev.kvant.spi.ProgressReporter;

/**
 * Counts the bytes of a step, up to what was announced: a step that reads a tensor more often than
 * foreseen does not exceed its total.
 *
 * @since 0.1.0
 */
public final class ByteProgress {

  private final ProgressReporter reporter;
  private long left;

  /**
   * Starts a step.
   *
   * @param listener is told of progress
   * @param step the name of the step, as in {@code save}
   * @param bytes about how many bytes there are
   */
  public ByteProgress(QuantizationListener listener, String step, long bytes) {
    this.reporter = new ProgressReporter(listener, step, bytes, "bytes");
    this.left = bytes;
  }

  /**
   * Reports that some more bytes of a tensor are done.
   *
   * @throws dev.kvant.api.QuantizationCancelledException if the thread was interrupted
   */
  public void advance(long bytes, String tensor) {
    long counted = Math.min(bytes, left);
    left -= counted;
    reporter.advance(counted, tensor);
  }

  /** Reports that all is done. */
  public void finish() {
    advance(left, "");
  }
}
