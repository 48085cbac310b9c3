package dev.kvant.spi;

import dev.kvant.api.QuantizationMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a backend is and can do, known without loading anything.
 *
 * @param id the name in configurations: lower case letters, digits, dots, dashes and underscores
 * @param aliases other names that it answers to
 * @param version the version of the backend
 * @param description what it does, in one sentence
 * @param modes what it can do in each mode that it supports
 * @param formats the ids of the model formats that it reads
 * @param artifacts the names of the model files that it writes, the main one first
 * @param sideFiles the names of the files that it can write beside them, see {@link
 *     dev.kvant.api.Artifact.Role#SIDE_FILE}
 * @param options the keys of {@code backend_kwargs} that it supports
 * @param defaultMode the mode of configurations that name none: its only mode, or the one that it
 *     chose; null if configurations must name one
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
    List<String> sideFiles,
    List<OptionDescriptor> options,
    @Nullable QuantizationMode defaultMode) {

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
    modes = Collections.unmodifiableMap(new LinkedHashMap<>(modes));
    formats = List.copyOf(formats);
    artifacts = List.copyOf(artifacts);
    sideFiles = List.copyOf(sideFiles);
    options = List.copyOf(options);
    if (defaultMode == null && modes.size() == 1) {
      defaultMode = modes.keySet().iterator().next();
    }
    if (defaultMode != null && !modes.containsKey(defaultMode)) {
      throw new IllegalArgumentException(
          "defaultMode: '%s' is not among the modes %s".formatted(defaultMode, modes.keySet()));
    }
  }

  /** One of whose modes, if there are several, none is the default. */
  public BackendDescriptor(
      String id,
      List<String> aliases,
      String version,
      String description,
      Map<QuantizationMode, ModeDescriptor> modes,
      List<String> formats,
      List<String> artifacts,
      List<String> sideFiles,
      List<OptionDescriptor> options) {
    this(id, aliases, version, description, modes, formats, artifacts, sideFiles, options, null);
  }

  /**
   * A builder of a descriptor.
   *
   * @param id the name in configurations
   */
  public static Builder builder(String id) {
    return new Builder(id);
  }

  /** The names of all files that it can write, model files first. */
  public List<String> files() {
    return Stream.concat(artifacts.stream(), sideFiles.stream()).toList();
  }

  /**
   * Collects what a backend is and can do. Formats, modes, artifacts and options come out in the
   * order in which they were added.
   *
   * @since 0.1.0
   */
  public static final class Builder {

    private final String id;
    private final List<String> aliases = new ArrayList<>();
    private String version = JarVersion.UNKNOWN;
    private String description = "";
    private final Map<QuantizationMode, ModeDescriptor> modes = new LinkedHashMap<>();
    private final List<String> formats = new ArrayList<>();
    private final List<String> artifacts = new ArrayList<>();
    private final List<String> sideFiles = new ArrayList<>();
    private final List<OptionDescriptor> options = new ArrayList<>();
    private @Nullable QuantizationMode defaultMode;

    private Builder(String id) {
      this.id = Objects.requireNonNull(id, "id");
    }

    /** Adds another name that the backend answers to. */
    public Builder alias(String alias) {
      aliases.add(Objects.requireNonNull(alias, "alias"));
      return this;
    }

    /** Sets the version of the backend, best that of its jar, see {@link JarVersion}. */
    public Builder version(String version) {
      this.version = Objects.requireNonNull(version, "version");
      return this;
    }

    /** Sets what it does, in one sentence. */
    public Builder description(String description) {
      this.description = Objects.requireNonNull(description, "description");
      return this;
    }

    /** Adds a mode that it supports. */
    public Builder mode(QuantizationMode mode, ModeDescriptor abilities) {
      modes.put(Objects.requireNonNull(mode, "mode"), Objects.requireNonNull(abilities));
      return this;
    }

    /** Sets the mode of configurations that name none, where there are several. */
    public Builder defaultMode(QuantizationMode mode) {
      this.defaultMode = Objects.requireNonNull(mode, "mode");
      return this;
    }

    /** Adds the id of a model format that it reads. */
    public Builder format(String format) {
      formats.add(Objects.requireNonNull(format, "format"));
      return this;
    }

    /** Adds the name of a model file that it writes. */
    public Builder artifact(String name) {
      artifacts.add(Objects.requireNonNull(name, "name"));
      return this;
    }

    /** Adds the name of a file that it can write beside its model files. */
    public Builder sideFile(String name) {
      sideFiles.add(Objects.requireNonNull(name, "name"));
      return this;
    }

    /** Adds an option. */
    public Builder option(OptionDescriptor option) {
      options.add(Objects.requireNonNull(option, "option"));
      return this;
    }

    /** Adds options. */
    public Builder options(List<OptionDescriptor> options) {
      options.forEach(this::option);
      return this;
    }

    /**
     * The descriptor.
     *
     * @throws IllegalArgumentException if the id is not valid, there is no mode, or the default is
     *     none of the modes
     */
    public BackendDescriptor build() {
      return new BackendDescriptor(
          id,
          aliases,
          version,
          description,
          modes,
          formats,
          artifacts,
          sideFiles,
          options,
          defaultMode);
    }
  }
}
