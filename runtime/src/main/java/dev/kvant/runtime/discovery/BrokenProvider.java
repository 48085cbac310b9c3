package dev.kvant.runtime.discovery;

import java.util.Objects;

/**
 * A provider that was found and could not be used.
 *
 * @param service the simple name of what it provides, as in {@code QuantizationBackend}
 * @param provider the name of its class, or the empty string where that is unknown
 * @param location the jar or folder that names it, or the empty string where that is unknown
 * @param reason what is wrong with it, in one sentence
 * @param cause what was thrown
 * @since 0.1.0
 */
public record BrokenProvider(
    String service, String provider, String location, String reason, Throwable cause) {

  public BrokenProvider {
    Objects.requireNonNull(service, "service");
    Objects.requireNonNull(provider, "provider");
    Objects.requireNonNull(location, "location");
    Objects.requireNonNull(reason, "reason");
    Objects.requireNonNull(cause, "cause");
  }

  /** The provider, where it came from and what is wrong, in one line. */
  @Override
  public String toString() {
    String name = provider.isEmpty() ? "a " + service : provider;
    return name + (location.isEmpty() ? "" : " (" + location + ")") + ": " + reason;
  }
}
