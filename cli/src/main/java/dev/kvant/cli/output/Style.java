package dev.kvant.cli.output;

/**
 * The style of a text, for a reader with colors.
 *
 * @since 0.1.0
 */
public enum Style {
  /** Plain text. */
  PLAIN(""),
  /** A heading, or the most important text. */
  STRONG("1"),
  /** Less important text. */
  FAINT("2"),
  /** A success, or a requested change. */
  GOOD("32"),
  /** A difference from the request. */
  WARNING("33"),
  /** A failure. */
  ERROR("1;31");

  private final String code;

  Style(String code) {
    this.code = code;
  }

  /** The text between the escape sequences that enable and disable the style. */
  String apply(String text) {
    return code.isEmpty() || text.isEmpty() ? text : "\u001b[" + code + "m" + text + "\u001b[0m";
  }
}
