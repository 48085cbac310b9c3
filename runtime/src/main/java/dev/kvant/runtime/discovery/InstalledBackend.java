package dev.kvant.runtime.discovery;

import dev.kvant.spi.Availability;
import dev.kvant.spi.BackendDescriptor;
import java.util.Objects;

/**
 * A backend that was found.
 *
 * @param descriptor what it is and can do
 * @param provider the name of its class
 * @param location the jar or folder that it came from
 * @param availability whether it can work on this machine
 * @since 0.1.0
 */
public record InstalledBackend(
    BackendDescriptor descriptor, String provider, String location, Availability availability) {

  public InstalledBackend {
    Objects.requireNonNull(descriptor, "descriptor");
    Objects.requireNonNull(provider, "provider");
    Objects.requireNonNull(location, "location");
    Objects.requireNonNull(availability, "availability");
  }
}
