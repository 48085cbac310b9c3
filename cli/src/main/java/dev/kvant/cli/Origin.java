package dev.kvant.cli;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** Finds whose code failed, for errors that nobody wrote a message for. */
final class Origin {

  private static final String KVANT = "Kvant";

  /** What the name of a plugin's class loader starts with. */
  private static final String PLUGIN = "plugin ";

  private Origin() {}

  /** Kvant, or the plugin of somebody else that the failure comes from. */
  static String of(Throwable failure) {
    List<StackTraceElement> frames = Arrays.asList(innermost(failure).getStackTrace());
    return frames.stream()
        .map(StackTraceElement::getClassLoaderName)
        .filter(Objects::nonNull)
        .filter(name -> name.startsWith(PLUGIN))
        .findFirst()
        .filter(name -> frames.stream().noneMatch(frame -> isKvantsOwn(frame, name)))
        .map(name -> "plugin '%s'".formatted(name.substring(PLUGIN.length())))
        .orElse(KVANT);
  }

  /** Whether a frame of that plugin tells that it is one of Kvant's. */
  private static boolean isKvantsOwn(StackTraceElement frame, String plugin) {
    return plugin.equals(frame.getClassLoaderName())
        && frame.getClassName().startsWith("dev.kvant.");
  }

  private static Throwable innermost(Throwable failure) {
    Throwable innermost = failure;
    Set<Throwable> seen = new LinkedHashSet<>();
    while (innermost.getCause() != null && seen.add(innermost)) {
      innermost = innermost.getCause();
    }
    return innermost;
  }
}
