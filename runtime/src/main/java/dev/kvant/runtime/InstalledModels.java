package dev.kvant.runtime;

import dev.kvant.api.DiscoveryException;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ProviderException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.discovery.InstalledPlugin;
import dev.kvant.runtime.discovery.Provided;
import dev.kvant.runtime.discovery.Registry;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.ModelSource;
import dev.kvant.spi.RecognizedModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens models with the formats and sources that are installed. */
final class InstalledModels {

  private static final Logger log = LoggerFactory.getLogger(InstalledModels.class);

  /** How many models of a folder an error names. */
  private static final int MOST_NAMED_MODELS = 10;

  private final Registry registry;

  InstalledModels(Registry registry) {
    this.registry = registry;
  }

  /** Opens a model file or folder, see {@link Kvant#load(Path)}. */
  QuantizableModel open(Path model) {
    QuantizableModel opened;
    try (RecognizedModel recognized = recognize(model)) {
      opened = recognized.open();
    }
    try {
      registry.requireOneFormat(opened.format());
      return opened;
    } catch (DiscoveryException e) {
      opened.close();
      throw e;
    }
  }

  /** Opens the file behind an object, see {@link Kvant#load(Object)}. */
  QuantizableModel open(Object model) {
    Objects.requireNonNull(model, "model");
    if (model instanceof Path path) {
      return open(path);
    }
    List<String> failures = new ArrayList<>();
    for (Provided<ModelSource> source : registry.sources()) {
      Optional<Path> file = locate(source, model, failures);
      if (file.isPresent()) {
        return open(file.get());
      }
    }
    failures.add(
        0,
        registry.sources().isEmpty()
            ? "no model source is installed"
            : "installed: "
                + registry.sources().stream()
                    .map(Provided::toString)
                    .collect(Collectors.joining(", ")));
    throw new UnsupportedModelException(
        ("a %s is no model that can be opened; pass the java.nio.file.Path of a model file"
                + " or install what knows such objects (%s)")
            .formatted(model.getClass().getName(), String.join("; ", failures)));
  }

  private static Optional<Path> locate(
      Provided<ModelSource> source, Object model, List<String> failures) {
    try {
      return source.instance().locate(model);
    } catch (ProviderException e) {
      // The framework of this source may not be there, so that the object is none of its own.
      log.debug("{} cannot work here", source, e);
      failures.add(e.getMessage());
      return Optional.empty();
    }
  }

  /** What opens the model; the caller closes it. */
  private RecognizedModel recognize(Path model) {
    Objects.requireNonNull(model, "model");
    checkReadable(model);
    Map<Provided<ModelFormat>, RecognizedModel> candidates = new LinkedHashMap<>();
    List<String> failures = new ArrayList<>();
    for (Provided<ModelFormat> format : registry.formats()) {
      try {
        format.instance().probe(model).ifPresent(found -> candidates.put(format, found));
      } catch (IOException | KvantException e) {
        // One format that cannot even look must not keep the others from it.
        log.warn("{} failed to look at {}", format, model, e);
        failures.add(String.valueOf(e.getMessage()));
      }
    }
    if (candidates.isEmpty()) {
      List<String> inside = modelsInside(model);
      if (!inside.isEmpty()) {
        throw new ModelFormatException(
            "the folder %s is not a model; name one of the models in it: %s"
                .formatted(model, String.join(", ", inside)));
      }
      failures.add(0, "installed: " + formatNames() + pluginNames());
      KnownContent.of(model).ifPresent(what -> failures.add(0, what));
      throw new ModelFormatException(
          "%s is not a model of any installed format; %s"
              .formatted(model, String.join("; ", failures)));
    }
    if (candidates.size() > 1) {
      candidates.values().forEach(RecognizedModel::close);
      throw new DiscoveryException(
          Registry.conflict("model formats", model.toString(), List.copyOf(candidates.keySet())));
    }
    return candidates.values().iterator().next();
  }

  /** The names of the first files in a folder that are models. */
  private List<String> modelsInside(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    List<String> names = new ArrayList<>();
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : entries.sorted().toList()) {
        if (names.size() == MOST_NAMED_MODELS) {
          names.add("…");
          break;
        }
        if (Files.isRegularFile(entry)
            && Files.isReadable(entry)
            && registry.formats().stream().anyMatch(format -> recognizes(format, entry))) {
          names.add(entry.getFileName().toString());
        }
      }
    } catch (IOException | UncheckedIOException e) {
      log.debug("{} cannot be listed", folder, e);
    }
    return names;
  }

  private static boolean recognizes(Provided<ModelFormat> format, Path file) {
    try {
      return format.instance().recognizes(file);
    } catch (IOException | KvantException e) {
      log.debug("{} failed to look at {}", format, file, e);
      return false;
    }
  }

  private static void checkReadable(Path model) {
    try {
      if (!Files.exists(model)) {
        throw new ModelFormatException("the model file %s does not exist".formatted(model));
      }
      if (!Files.isRegularFile(model) && !Files.isDirectory(model)) {
        throw new ModelFormatException(
            "%s is neither a file nor a folder, so it is no model".formatted(model));
      }
      if (!Files.isReadable(model)) {
        throw new ModelFormatException("%s cannot be read: permission denied".formatted(model));
      }
      if (Files.isRegularFile(model) && Files.size(model) == 0) {
        throw new ModelFormatException("the model file %s is empty".formatted(model));
      }
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(model, e), e);
    }
  }

  private String formatNames() {
    String names =
        registry.formats().stream()
            .flatMap(format -> format.instance().ids().stream())
            .sorted()
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? "none" : names;
  }

  private String pluginNames() {
    List<InstalledPlugin> plugins = registry.plugins();
    return plugins.isEmpty()
        ? ""
        : plugins.stream()
            .map(InstalledPlugin::name)
            .collect(Collectors.joining(", ", "; plugins: ", ""));
  }
}
