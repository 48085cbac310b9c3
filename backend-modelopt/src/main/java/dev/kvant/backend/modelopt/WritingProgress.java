package dev.kvant.backend.modelopt;

import dev.kvant.api.QuantizationListener;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.torch.tensor.CopyProgress;

/** Counts the bytes that go into artifacts, up to what was announced. */
final class WritingProgress implements CopyProgress {

  private final ProgressReporter reporter;
  private long left;

  /**
   * For one step.
   *
   * @param bytes about how many there will be
   */
  WritingProgress(QuantizationListener listener, long bytes) {
    this.reporter = new ProgressReporter(listener, "save", bytes, "bytes");
    this.left = bytes;
  }

  @Override
  public void advance(long bytes, String tensor) {
    long counted = Math.min(bytes, left);
    left -= counted;
    reporter.advance(counted, tensor);
  }

  /** Reports that all is done. */
  void finish() {
    advance(left, "");
  }
}
