package dev.kvant.spi;

import dev.kvant.api.QuantizationMode;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a backend is and can do, known without loading anything.
 *
 * @param id the name in configurations: lower case letters, digits, dots, dashes and underscores
 * @param aliases other names that it answers to
 * @param version the version of the backend
 * @param description what it does, in one sentence
 * @param modes what it can do in each mode that it supports
 * @param formats the ids of the model formats that it takes
 * @param artifacts the file names that it writes, the main one first
 * @param options the keys of {@code backend_kwargs} that it understands
 * @since 0.1.0
 */
public record BackendDescriptor(
    String id,
    List<String> aliases,
    String version,
    String description,
    Map<QuantizationMode, ModeDescriptor> modes,
    List<String> formats,
    List<String> artifacts,
    List<OptionDescriptor> options) {

  public BackendDescriptor {
    if (!id.matches("[a-z0-9][a-z0-9._-]*")) {
      throw new IllegalArgumentException(
          "id: '%s' must be lower case letters, digits, dots, dashes and underscores"
              .formatted(id));
    }
    aliases = List.copyOf(aliases);
    Objects.requireNonNull(version, "version");
    Objects.requireNonNull(description, "description");
    if (modes.isEmpty()) {
      throw new IllegalArgumentException("modes: a backend supports at least one");
    }
    modes = Collections.unmodifiableMap(new EnumMap<>(modes));
    formats = List.copyOf(formats);
    artifacts = List.copyOf(artifacts);
    options = List.copyOf(options);
  }
}
