package dev.kvant.runtime.discovery;

import dev.kvant.api.Internal;
import java.util.Objects;

/**
 * A provider that works, with where it came from.
 *
 * @param <S> the service
 * @param instance the provider
 * @param location the jar or folder of its class
 * @since 0.1.0
 */
@Internal
public record Provided<S>(S instance, String location) {

  public Provided {
    Objects.requireNonNull(instance, "instance");
    Objects.requireNonNull(location, "location");
  }

  /** The provider's class and where it came from. */
  @Override
  public String toString() {
    return instance.getClass().getName() + " (" + location + ")";
  }
}
