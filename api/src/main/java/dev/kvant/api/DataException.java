package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * A file of samples is missing, damaged or not supported.
 *
 * @since 0.1.0
 */
public class DataException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message, which includes what to do. */
  public DataException(String message) {
    this(message, null);
  }

  /** Creates the exception with a message and its cause. */
  public DataException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
