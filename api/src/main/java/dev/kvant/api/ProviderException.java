package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * A backend, format, runner or model source does not keep its contract: it returned null, or threw
 * something that is not a {@link KvantException}. The message names the provider and its jar.
 *
 * @since 0.1.0
 */
public class ProviderException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** With a message that says what to do. */
  public ProviderException(String message) {
    this(message, null);
  }

  /** With a message that says what to do, and what caused it. */
  public ProviderException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
