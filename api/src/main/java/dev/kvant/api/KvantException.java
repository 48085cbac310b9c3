package dev.kvant.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What every error that Kvant raises on purpose extends; the message is meant for a person.
 *
 * @since 0.1.0
 */
public class KvantException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** With a message that says what to do. */
  public KvantException(String message) {
    this(message, null);
  }

  /** With a message that says what to do, and what caused it. */
  public KvantException(String message, @Nullable Throwable cause) {
    super(Objects.requireNonNull(message, "message"), cause);
  }

  /** The message; there always is one. */
  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage(), "message");
  }
}
