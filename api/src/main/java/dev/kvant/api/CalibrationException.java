package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * Calibration data does not fit the model, or gives values that are not finite.
 *
 * @since 0.1.0
 */
public class CalibrationException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message, which includes what to do. */
  public CalibrationException(String message) {
    this(message, null);
  }

  /** Creates the exception with a message and its cause. */
  public CalibrationException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
