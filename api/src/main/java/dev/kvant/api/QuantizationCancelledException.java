package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * The thread was interrupted. There are no partial files, and the interrupt flag is set again.
 *
 * @since 0.1.0
 */
public class QuantizationCancelledException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message, which includes what to do. */
  public QuantizationCancelledException(String message) {
    this(message, null);
  }

  /** Creates the exception with a message and its cause. */
  public QuantizationCancelledException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
