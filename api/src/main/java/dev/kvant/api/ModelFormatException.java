package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * A model file is missing, damaged, or not what it should be.
 *
 * @since 0.1.0
 */
public class ModelFormatException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** With a message that says what to do. */
  public ModelFormatException(String message) {
    this(message, null);
  }

  /** With a message that says what to do, and what caused it. */
  public ModelFormatException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
