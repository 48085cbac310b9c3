package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * A model is sound, but the backend cannot take it.
 *
 * @since 0.1.0
 */
public class UnsupportedModelException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** With a message that says what to do. */
  public UnsupportedModelException(String message) {
    this(message, null);
  }

  /** With a message that says what to do, and what caused it. */
  public UnsupportedModelException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
