package dev.kvant.runtime.discovery;

import dev.kvant.api.Internal;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A provider that works, with where it came from.
 *
 * @param <S> the service
 * @param instance the provider, or what guards calls into it
 * @param type the provider's class
 * @param location the jar or folder of its class
 * @since 0.1.0
 */
@Internal
public record Provided<S>(S instance, Class<?> type, String location) {

  public Provided {
    Objects.requireNonNull(instance, "instance");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(location, "location");
  }

  /** A provider as it is. */
  static <S> Provided<S> of(S instance) {
    return new Provided<>(instance, instance.getClass(), Location.of(instance.getClass()));
  }

  /** The same provider behind a guard. */
  Provided<S> guardedBy(S guard) {
    return new Provided<>(guard, type, location);
  }

  /** The name of the plugin that it belongs to, or null if that is none. */
  @Nullable String plugin() {
    return type.getClassLoader() instanceof PluginClassLoader loader ? loader.plugin() : null;
  }

  /** The provider's class, its Java module if it has one, and where it came from. */
  @Override
  public String toString() {
    String module = type.getModule().getName();
    return "%s (%s%s)"
        .formatted(type.getName(), module == null ? "" : "module " + module + ", ", location);
  }
}
