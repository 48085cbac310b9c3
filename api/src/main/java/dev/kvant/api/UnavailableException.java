package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * Something that this machine lacks, such as a native library or a device, is needed.
 *
 * @since 0.1.0
 */
public class UnavailableException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** With a message that says what to do. */
  public UnavailableException(String message) {
    this(message, null);
  }

  /** With a message that says what to do, and what caused it. */
  public UnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
