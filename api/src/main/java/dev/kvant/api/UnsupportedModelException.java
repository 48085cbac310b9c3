package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * A model is valid, but the backend does not support it.
 *
 * @since 0.1.0
 */
public class UnsupportedModelException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message, which includes what to do. */
  public UnsupportedModelException(String message) {
    this(message, null);
  }

  /** Creates the exception with a message and its cause. */
  public UnsupportedModelException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
