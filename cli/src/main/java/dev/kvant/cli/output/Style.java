package dev.kvant.cli.output;

/**
 * What a piece of text is, for a reader who sees colours.
 *
 * @since 0.1.0
 */
public enum Style {
  /** As any other text. */
  PLAIN(""),
  /** A heading, or what the eye should find first. */
  STRONG("1"),
  /** What can be passed over. */
  FAINT("2"),
  /** What went right, or was changed as asked. */
  GOOD("32"),
  /** What went otherwise than asked. */
  WARNING("33"),
  /** What failed. */
  ERROR("1;31");

  private final String code;

  Style(String code) {
    this.code = code;
  }

  /** The text between the escape sequences that switch the style on and off. */
  String apply(String text) {
    return code.isEmpty() || text.isEmpty() ? text : "\u001b[" + code + "m" + text + "\u001b[0m";
  }
}
