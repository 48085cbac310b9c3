package dev.kvant.runtime;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.runtime.config.ConfigKeys;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * The order of a configuration's fields, so that problems found by different hands stand beside
 * each other when they are about one place.
 */
final class FieldOrder implements Comparator<String> {

  static final Comparator<ConfigurationProblem> OF_PROBLEMS =
      Comparator.comparing(ConfigurationProblem::path, new FieldOrder());

  private static final String SECTION = "quantize";

  private FieldOrder() {}

  /** A field before what is inside of it, positions by number, unknown fields last. */
  @Override
  public int compare(String path, String other) {
    String[] parts = parts(path);
    String[] otherParts = parts(other);
    ConfigKeys keys = ConfigKeys.QUANTIZE;
    for (int i = 0; i < Math.min(parts.length, otherParts.length); i++) {
      int order = Integer.compare(rank(parts[i], keys), rank(otherParts[i], keys));
      if (order != 0) {
        return order;
      }
      keys = inside(parts[i], keys);
    }
    return Integer.compare(parts.length, otherParts.length);
  }

  /** The parts of a path within the section, which a bare document does not name. */
  private static String[] parts(String path) {
    String inside =
        path.equals(SECTION) || path.startsWith(SECTION + ".")
            ? path.substring(SECTION.length())
            : "." + path;
    return inside.split("[.\\[\\]]+", -1);
  }

  private static int rank(String part, @Nullable ConfigKeys keys) {
    if (part.isEmpty()) {
      // What precedes the first dot, or follows a closing bracket at the end.
      return -1;
    }
    if (isPosition(part)) {
      return Integer.parseInt(part);
    }
    int index = keys == null ? -1 : keys.indexOf(part);
    return index < 0 ? Integer.MAX_VALUE : index;
  }

  private static @Nullable ConfigKeys inside(String part, @Nullable ConfigKeys keys) {
    return part.isEmpty() || isPosition(part) || keys == null ? keys : keys.inside(part);
  }

  private static boolean isPosition(String part) {
    return part.matches("\\d{1,9}");
  }
}
