package dev.kvant.spi;

import java.util.Objects;

/**
 * Whether a provider can work on this machine.
 *
 * @since 0.1.0
 */
public sealed interface Availability {

  /** It can. */
  record Available() implements Availability {}

  /**
   * It cannot.
   *
   * @param reason what is missing and how to get it
   */
  record Unavailable(String reason) implements Availability {
    public Unavailable {
      Objects.requireNonNull(reason, "reason");
    }
  }

  /** It can work. */
  static Availability available() {
    return new Available();
  }

  /** It cannot work, for that reason. */
  static Availability unavailable(String reason) {
    return new Unavailable(reason);
  }
}
