package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * Installed providers contradict each other, for instance two backends with one id.
 *
 * @since 0.1.0
 */
public class DiscoveryException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** With a message that says what to do. */
  public DiscoveryException(String message) {
    this(message, null);
  }

  /** With a message that says what to do, and what caused it. */
  public DiscoveryException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
