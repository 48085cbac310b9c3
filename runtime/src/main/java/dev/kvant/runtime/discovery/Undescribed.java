package dev.kvant.runtime.discovery;

/** A provider cannot say what it is. The message is the reason, for {@link BrokenProvider}. */
final class Undescribed extends Exception {

  private static final long serialVersionUID = 1L;

  private final Throwable thrown;

  Undescribed(String reason, Throwable thrown) {
    super(reason, thrown);
    this.thrown = thrown;
  }

  /** What was thrown. */
  Throwable thrown() {
    return thrown;
  }

  /** The reason. */
  String reason() {
    return String.valueOf(getMessage());
  }
}
