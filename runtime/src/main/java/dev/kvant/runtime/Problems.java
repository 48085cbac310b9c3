package dev.kvant.runtime;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.InvalidConfigurationException;
import java.util.ArrayList;
import java.util.List;

/**
 * All that is wrong with one configuration. What could not be read is not complained about again by
 * those who then miss it.
 */
final class Problems {

  private static final String SECTION = "quantize";

  private final String section;
  private final List<ConfigurationProblem> unreadable;
  private final List<ConfigurationProblem> all;

  /**
   * @param section where the configuration stands in its document
   * @param unreadable what could not be read of it
   */
  Problems(String section, List<ConfigurationProblem> unreadable) {
    this.section = section;
    this.unreadable = unreadable;
    this.all = new ArrayList<>(unreadable);
  }

  /** Adds a problem whose path begins with {@code quantize}. */
  void add(ConfigurationProblem problem) {
    String path = inDocument(problem.path());
    // What holds for a part as a whole may hold only because something in it could not be read.
    if (unreadable.stream()
        .noneMatch(known -> contains(known.path(), path) || contains(path, known.path()))) {
      all.add(new ConfigurationProblem(path, problem.message()));
    }
  }

  private String inDocument(String path) {
    if (section.equals(SECTION)) {
      return path;
    }
    String prefix = SECTION + ".";
    return path.startsWith(prefix) ? path.substring(prefix.length()) : path;
  }

  private static boolean contains(String path, String other) {
    return other.equals(path) || other.startsWith(path + ".") || other.startsWith(path + "[");
  }

  void throwIfAny() {
    if (!all.isEmpty()) {
      throw new InvalidConfigurationException(all.stream().sorted(FieldOrder.OF_PROBLEMS).toList());
    }
  }
}
