package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * A model cannot be quantized, for instance because a weight is not finite.
 *
 * @since 0.1.0
 */
public class QuantizationException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message, which includes what to do. */
  public QuantizationException(String message) {
    this(message, null);
  }

  /** Creates the exception with a message and its cause. */
  public QuantizationException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
