package dev.kvant.api;

import java.util.Objects;

/**
 * An artifact did not pass its verification. It is kept under another name.
 *
 * @since 0.1.0
 */
public class VerificationException extends KvantException {

  private static final long serialVersionUID = 1;

  private final transient SavedModel saved;

  /** With what was written, the rejected artifacts under their new names. */
  public VerificationException(String message, SavedModel saved) {
    super(message);
    this.saved = Objects.requireNonNull(saved, "saved");
  }

  /** What was written. */
  public SavedModel saved() {
    return saved;
  }
}
