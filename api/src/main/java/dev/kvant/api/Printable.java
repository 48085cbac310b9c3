package dev.kvant.api;

import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Text from a file in a form that is safe to print in one line. Names in a model may contain line
 * breaks, which forge lines of a log, and codes that move a terminal's cursor, clear its screen or
 * change the direction of a line.
 *
 * @since 0.1.0
 */
public final class Printable {

  private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");

  private static final int MOST_SHOWN = 300;

  private Printable() {}

  /**
   * The text with each unprintable character (control characters, characters of formatting,
   * separators of lines and paragraphs) in the spelling of Java: {@code \n}, {@code \r}, {@code \t}
   * or {@code \}{@code uXXXX} for each UTF-16 unit. Backslashes are left as they are.
   */
  public static String of(String text) {
    Objects.requireNonNull(text, "text");
    return isPlain(text) ? text : escapedIn(text);
  }

  /** Tells most texts from those that must be searched, which takes longer. */
  private static boolean isPlain(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < ' ' || text.charAt(i) > '~') {
        return false;
      }
    }
    return true;
  }

  private static String escapedIn(String text) {
    return UNPRINTABLE
        .matcher(text)
        .replaceAll(
            found ->
                found.group().chars().mapToObj(Printable::escaped).collect(Collectors.joining()));
  }

  /** As {@link #of}, of the first {@value #MOST_SHOWN} UTF-16 units of the text and an ellipsis. */
  public static String shortened(String text) {
    return of(text.length() > MOST_SHOWN ? text.substring(0, MOST_SHOWN) + "…" : text);
  }

  private static String escaped(int unit) {
    // Two backslashes of a replacement are one.
    return switch (unit) {
      case '\n' -> "\\\\n";
      case '\r' -> "\\\\r";
      case '\t' -> "\\\\t";
      default -> "\\\\u%04x".formatted(unit);
    };
  }
}
