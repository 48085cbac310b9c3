package dev.kvant.runtime.discovery;

import java.util.LinkedHashSet;
import java.util.ServiceConfigurationError;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Says in words why a provider failed. */
final class FailureReason {

  private FailureReason() {}

  /**
   * What went wrong: the innermost cause says most.
   *
   * @param thrown what was thrown
   * @param loader the class loader of the provider, or null if that is not known
   */
  static String of(Throwable thrown, @Nullable ClassLoader loader) {
    Throwable innermost = innermost(thrown);
    String message = innermost.getMessage();
    if (innermost instanceof ClassNotFoundException || innermost instanceof NoClassDefFoundError) {
      return missingClass(message == null ? "" : message.replace('/', '.'), loader);
    }
    if (innermost instanceof ServiceConfigurationError) {
      return message == null ? "its services file cannot be used" : message;
    }
    return innermost.getClass().getSimpleName() + (message == null ? "" : ": " + message);
  }

  private static Throwable innermost(Throwable thrown) {
    Throwable innermost = thrown;
    Set<Throwable> seen = new LinkedHashSet<>();
    while (innermost.getCause() != null && seen.add(innermost)) {
      innermost = innermost.getCause();
    }
    return innermost;
  }

  private static String missingClass(String name, @Nullable ClassLoader loader) {
    String remedy =
        loader instanceof PluginClassLoader plugin ? plugin.remedyForMissing(name) : null;
    return "class %s is not there, %s"
        .formatted(name, remedy == null ? "a jar must be missing" : remedy);
  }
}
