package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * Installed providers are in conflict, for example two backends with one id.
 *
 * @since 0.1.0
 */
public class DiscoveryException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message, which includes what to do. */
  public DiscoveryException(String message) {
    this(message, null);
  }

  /** Creates the exception with a message and its cause. */
  public DiscoveryException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
