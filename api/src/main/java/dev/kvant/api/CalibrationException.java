package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * Calibration data does not fit the model, or leads to values that are not finite.
 *
 * @since 0.1.0
 */
public class CalibrationException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** With a message that says what to do. */
  public CalibrationException(String message) {
    this(message, null);
  }

  /** With a message that says what to do, and what caused it. */
  public CalibrationException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
