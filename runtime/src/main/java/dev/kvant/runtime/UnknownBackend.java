package dev.kvant.runtime;

import dev.kvant.runtime.discovery.BrokenProvider;
import dev.kvant.runtime.discovery.Installation;
import dev.kvant.runtime.discovery.InstalledBackend;
import dev.kvant.spi.Availability;
import dev.kvant.validation.NearestNames;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Explains that no installed backend has a name: what is installed, what is broken, what is near.
 */
final class UnknownBackend {

  private UnknownBackend() {}

  static String message(String name, Installation installed) {
    StringBuilder message = new StringBuilder();
    message.append("no backend '").append(name).append("' is installed; ");
    List<String> nearest = NearestNames.of(name, names(installed), 1);
    if (!nearest.isEmpty()) {
      message.append("did you mean '").append(nearest.get(0)).append("'? ");
    }
    if (installed.backends().isEmpty()) {
      message.append("none is at all");
    } else {
      message.append("installed: ");
      message.append(
          installed.backends().stream()
              .map(UnknownBackend::label)
              .collect(Collectors.joining(", ")));
    }
    if (!installed.broken().isEmpty()) {
      message.append("; broken: ");
      message.append(
          installed.broken().stream()
              .map(BrokenProvider::toString)
              .collect(Collectors.joining("; ")));
    }
    if (!installed.remarks().isEmpty()) {
      message.append("; remarks: ").append(String.join("; ", installed.remarks()));
    }
    if (!nearest.isEmpty()) {
      return message.toString();
    }
    message.append(
        ". Put its jar on the class path or into the plugin folder; in a fat jar, merge the files"
            + " of META-INF/services instead of keeping one");
    return message.toString();
  }

  private static Set<String> names(Installation installed) {
    Set<String> names = new LinkedHashSet<>();
    for (InstalledBackend backend : installed.backends()) {
      names.add(backend.descriptor().id());
      names.addAll(backend.descriptor().aliases());
    }
    return names;
  }

  private static String label(InstalledBackend backend) {
    return backend.availability() instanceof Availability.Unavailable unavailable
        ? "%s (unavailable: %s)".formatted(backend.descriptor().id(), unavailable.reason())
        : backend.descriptor().id();
  }
}
