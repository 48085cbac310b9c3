package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * A model file is missing, damaged, or has an unexpected format.
 *
 * @since 0.1.0
 */
public class ModelFormatException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message, which includes what to do. */
  public ModelFormatException(String message) {
    this(message, null);
  }

  /** Creates the exception with a message and its cause. */
  public ModelFormatException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
