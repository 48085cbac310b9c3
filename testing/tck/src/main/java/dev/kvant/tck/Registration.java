package dev.kvant.tck;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Whether {@link ServiceLoader} finds a provider. */
final class Registration {

  private Registration() {}

  /** Fails with what to add if it is not found. */
  static void assertFound(Class<?> service, Class<?> provider) {
    Set<String> found =
        ServiceLoader.load(service, provider.getClassLoader()).stream()
            .map(each -> each.type().getName())
            .collect(Collectors.toCollection(TreeSet::new));
    assertTrue(
        found.contains(provider.getName()),
        () ->
            "no META-INF/services/%s on the class path has the line %s; in a Maven build that file belongs into src/main/resources. Found: %s"
                .formatted(
                    service.getName(),
                    provider.getName(),
                    found.isEmpty() ? "none" : String.join(", ", found)));
  }
}
