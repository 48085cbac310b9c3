package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * A file of samples is missing, damaged or of a kind that cannot be read.
 *
 * @since 0.1.0
 */
public class DataException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** With a message that says what to do. */
  public DataException(String message) {
    this(message, null);
  }

  /** With a message that says what to do, and what caused it. */
  public DataException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
