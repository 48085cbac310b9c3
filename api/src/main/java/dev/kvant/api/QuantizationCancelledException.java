package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * The thread was interrupted; nothing was half-written, and its interrupt flag is set again.
 *
 * @since 0.1.0
 */
public class QuantizationCancelledException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** With a message that says what to do. */
  public QuantizationCancelledException(String message) {
    this(message, null);
  }

  /** With a message that says what to do, and what caused it. */
  public QuantizationCancelledException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
