package dev.kvant.validation;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Finds the closest known names, by edit distance.
 *
 * <p>The distance is Levenshtein's, case aside: the fewest characters to insert, delete or replace.
 * In the written name {@code *} matches any characters and {@code ?} one character, at no cost, so
 * that patterns are compared by their other characters.
 *
 * @since 0.1.0
 */
public final class NearestNames {

  /** Too many names start with fewer letters. */
  private static final int SHORTEST_BEGINNING = 3;

  /** Nobody means a name by something longer. */
  private static final int LONGEST = 1000;

  private record Ranked(String name, int distance) {}

  private NearestNames() {}

  /**
   * The known names nearest to what was written, nearest first; none that shares less than half of
   * its letters with it. A name that goes on where what was written ends is one step away from it.
   *
   * @param written the name or pattern that fits nothing
   * @param known the names that exist
   * @param limit the maximum number of names
   */
  public static List<String> of(String written, Collection<String> known, int limit) {
    return known.stream()
        .distinct()
        .filter(name -> canBeNear(written, name))
        .map(name -> new Ranked(name, steps(written, name)))
        .filter(ranked -> 2 * ranked.distance() <= spelledOut(written))
        .sorted(Comparator.comparingInt(Ranked::distance).thenComparing(Ranked::name))
        .limit(limit)
        .map(Ranked::name)
        .toList();
  }

  /** The distance is at least the difference in length, which costs nothing to know. */
  private static boolean canBeNear(String written, String name) {
    int stars = written.length() - spelledOut(written);
    int difference =
        stars == 0
            ? Math.abs(written.length() - name.length())
            : spelledOut(written) - name.length();
    return written.length() <= LONGEST
        && (2 * difference <= spelledOut(written) || isBeginning(written, name));
  }

  private static boolean isBeginning(String written, String name) {
    return written.length() >= SHORTEST_BEGINNING
        && name.toLowerCase(Locale.ROOT).startsWith(written.toLowerCase(Locale.ROOT));
  }

  private static int steps(String written, String name) {
    int distance = distance(written, name);
    return distance > 1 && isBeginning(written, name) ? 1 : distance;
  }

  private static int spelledOut(String pattern) {
    return (int) pattern.chars().filter(c -> c != '*').count();
  }

  static int distance(String pattern, String name) {
    String from = pattern.toLowerCase(Locale.ROOT);
    String to = name.toLowerCase(Locale.ROOT);
    int[] previous = new int[to.length() + 1];
    for (int j = 0; j <= to.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      char written = from.charAt(i - 1);
      int[] current = new int[to.length() + 1];
      current[0] = previous[0] + (written == '*' ? 0 : 1);
      for (int j = 1; j <= to.length(); j++) {
        if (written == '*') {
          current[j] = Math.min(previous[j], current[j - 1]);
        } else {
          boolean same = written == '?' || written == to.charAt(j - 1);
          current[j] =
              Math.min(previous[j - 1] + (same ? 0 : 1), 1 + Math.min(previous[j], current[j - 1]));
        }
      }
      previous = current;
    }
    return previous[to.length()];
  }
}
