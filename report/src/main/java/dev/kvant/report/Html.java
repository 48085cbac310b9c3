package dev.kvant.report;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** HTML that is written from its beginning to its end. Text and attributes are always escaped. */
final class Html {

  private static final int REPLACEMENT = 0xFFFD;

  private final StringBuilder html = new StringBuilder();

  /** Begins an element. Attributes are names and values in turns; null leaves one out. */
  Html open(String tag, @Nullable String... attributes) {
    html.append('<').append(tag);
    for (int i = 0; i < attributes.length; i += 2) {
      String value = attributes[i + 1];
      if (value != null) {
        html.append(' ').append(attributes[i]).append("=\"").append(escaped(value)).append('"');
      }
    }
    html.append('>');
    return this;
  }

  /** Ends the element. */
  Html close(String tag) {
    html.append("</").append(tag).append('>');
    return this;
  }

  /** Ends the line, for people who read the source. */
  Html line() {
    html.append('\n');
    return this;
  }

  /** Writes text. */
  Html text(String text) {
    html.append(escaped(text));
    return this;
  }

  /** Writes an element that holds only text. */
  Html element(String tag, String text, @Nullable String... attributes) {
    return open(tag, attributes).text(text).close(tag);
  }

  /** Writes an element with a known content, which is not escaped. */
  Html known(String tag, String content, @Nullable String... attributes) {
    if (content.toLowerCase(Locale.ROOT).contains("</" + tag)) {
      throw new IllegalArgumentException("content: would end the element " + tag);
    }
    open(tag, attributes);
    html.append(content);
    return close(tag);
  }

  /**
   * The text with character references for what has a meaning in HTML; characters that HTML does
   * not allow become U+FFFD.
   */
  static String escaped(String text) {
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    text.codePoints().forEach(character -> append(escaped, character));
    return escaped.toString();
  }

  private static void append(StringBuilder escaped, int character) {
    switch (character) {
      case '&' -> escaped.append("&amp;");
      case '<' -> escaped.append("&lt;");
      case '>' -> escaped.append("&gt;");
      case '"' -> escaped.append("&quot;");
      case '\'' -> escaped.append("&#39;");
      case '\n', '\t' -> escaped.append((char) character);
      default -> escaped.appendCodePoint(isAllowed(character) ? character : REPLACEMENT);
    }
  }

  private static boolean isAllowed(int character) {
    return !Character.isISOControl(character)
        && Character.getType(character) != Character.SURROGATE
        && (character & 0xFFFE) != 0xFFFE;
  }

  @Override
  public String toString() {
    return html.toString();
  }
}
