package dev.kvant.runtime.discovery;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A plugin that can be used.
 *
 * @param name the name of its folder
 * @param location its folder
 * @param parent the name of the plugin whose classes it sees, or null if it names none
 * @since 0.1.0
 */
public record InstalledPlugin(String name, String location, @Nullable String parent) {

  public InstalledPlugin {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(location, "location");
  }
}
