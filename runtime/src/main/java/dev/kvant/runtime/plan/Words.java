package dev.kvant.runtime.plan;

import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/** Puts names into sentences. */
final class Words {

  private static final int MOST_NAMES = 5;

  private Words() {}

  /** All of them in quotes. */
  static String quoted(Collection<?> names) {
    return String.join(", ", inQuotes(names));
  }

  /** The first few of them in quotes, and how many more there are. */
  static String fewQuoted(Collection<?> names) {
    return few(inQuotes(names));
  }

  private static List<String> inQuotes(Collection<?> names) {
    return names.stream().map(name -> "'" + name + "'").toList();
  }

  /** The first few, and how many more there are. */
  static String few(List<String> names) {
    String first = names.stream().limit(MOST_NAMES).collect(Collectors.joining(", "));
    int more = names.size() - MOST_NAMES;
    return more <= 0 ? first : first + " and " + more + " more";
  }
}
