package dev.kvant.cli.output;

import java.util.regex.Pattern;

/**
 * Text from outside in a form that is safe to show: names in a model file can be anything, also
 * codes that move a terminal's cursor, clear its screen or turn the direction of a line.
 */
final class Printable {

  private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");

  private Printable() {}

  /** The text with a question mark for each character that is none, line breaks included. */
  static String of(String text) {
    return UNPRINTABLE.matcher(text).replaceAll("?");
  }
}
