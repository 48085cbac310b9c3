package dev.kvant.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The superclass of all exceptions that Kvant throws. Messages are written for people.
 *
 * @since 0.1.0
 */
public class KvantException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message, which includes what to do. */
  public KvantException(String message) {
    this(message, null);
  }

  /** Creates the exception with a message and its cause. */
  public KvantException(String message, @Nullable Throwable cause) {
    super(Objects.requireNonNull(message, "message"), cause);
  }

  /** The message, which is never null. */
  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage(), "message");
  }
}
