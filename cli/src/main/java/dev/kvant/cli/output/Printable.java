package dev.kvant.cli.output;

import java.util.regex.Pattern;

/**
 * Untrusted text in a form that is safe to print: names in a model file may contain codes that move
 * a terminal's cursor, clear its screen or change the direction of a line.
 */
final class Printable {

  private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");

  private Printable() {}

  /** The text with a question mark for each unprintable character, including line breaks. */
  static String of(String text) {
    return UNPRINTABLE.matcher(text).replaceAll("?");
  }
}
