package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * A requirement is missing on this machine, such as a native library or a device.
 *
 * @since 0.1.0
 */
public class UnavailableException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message, which includes what to do. */
  public UnavailableException(String message) {
    this(message, null);
  }

  /** Creates the exception with a message and its cause. */
  public UnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
