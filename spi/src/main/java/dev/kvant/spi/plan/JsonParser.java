package dev.kvant.spi.plan;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON (RFC 8259) as a tree of maps, lists, texts, numbers, truth values and nulls. Whole
 * numbers become {@code Integer} or {@code Long}, others {@code Double}. A name that comes twice
 * and anything beyond the one value are errors, as is a nest too deep to be what is looked for.
 */
final class JsonParser {

  private static final int DEEPEST = 64;

  private static final Pattern NUMBER =
      Pattern.compile("-?(?:0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?");

  private static final Map<String, Boolean> TRUTH_VALUES = Map.of("true", true, "false", false);

  private static final String ESCAPED = "\"\\/bfnrt";

  private static final String UNESCAPED = "\"\\/\b\f\n\r\t";

  private final String text;
  private int position;

  private JsonParser(String text) {
    this.text = text;
  }

  /**
   * Reads a text.
   *
   * @throws IllegalArgumentException if it is not JSON
   */
  static @Nullable Object parse(String text) {
    JsonParser parser = new JsonParser(text);
    Object value = parser.value(0);
    if (parser.next() != 0) {
      throw parser.unexpected();
    }
    return value;
  }

  private IllegalArgumentException unexpected() {
    return new IllegalArgumentException(
        position < text.length()
            ? "unexpected '%c' at character %d".formatted(text.charAt(position), position)
            : "it ends at character %d".formatted(position));
  }

  /** The next character that is not white space, which is not taken; 0 at the end. */
  private char next() {
    while (position < text.length() && " \t\r\n".indexOf(text.charAt(position)) >= 0) {
      position++;
    }
    return position < text.length() ? text.charAt(position) : 0;
  }

  private boolean takeIf(char expected) {
    boolean isNext = next() == expected;
    position += isNext ? 1 : 0;
    return isNext;
  }

  private void take(char expected) {
    if (!takeIf(expected)) {
      throw unexpected();
    }
  }

  private @Nullable Object value(int depth) {
    if (depth > DEEPEST) {
      throw new IllegalArgumentException("it is nested deeper than %d".formatted(DEEPEST));
    }
    return switch (next()) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> string();
      default -> word();
    };
  }

  private Map<String, @Nullable Object> object(int depth) {
    take('{');
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    if (takeIf('}')) {
      return map;
    }
    do {
      next();
      String name = string();
      take(':');
      Object value = value(depth + 1);
      if (map.containsKey(name)) {
        throw new IllegalArgumentException("'%s' comes twice".formatted(name));
      }
      map.put(name, value);
    } while (takeIf(','));
    take('}');
    return map;
  }

  private List<@Nullable Object> array(int depth) {
    take('[');
    List<@Nullable Object> list = new ArrayList<>();
    if (takeIf(']')) {
      return list;
    }
    do {
      list.add(value(depth + 1));
    } while (takeIf(','));
    take(']');
    return list;
  }

  private @Nullable Object word() {
    if (text.startsWith("null", position)) {
      position += "null".length();
      return null;
    }
    for (Map.Entry<String, Boolean> entry : TRUTH_VALUES.entrySet()) {
      if (text.startsWith(entry.getKey(), position)) {
        position += entry.getKey().length();
        return entry.getValue();
      }
    }
    Matcher number = NUMBER.matcher(text).region(position, text.length());
    if (!number.lookingAt()) {
      throw unexpected();
    }
    position = number.end();
    if (number.group(1) != null || number.group(2) != null) {
      return Double.valueOf(number.group());
    }
    // Throws NumberFormatException, which is an IllegalArgumentException, beyond 64 bits.
    return narrowest(Long.parseLong(number.group()));
  }

  private static Number narrowest(long number) {
    if (number == (int) number) {
      return (int) number;
    }
    return number;
  }

  private String string() {
    if (position >= text.length() || text.charAt(position) != '"') {
      throw unexpected();
    }
    position++;
    StringBuilder value = new StringBuilder();
    while (position < text.length() && text.charAt(position) >= ' ') {
      char character = text.charAt(position++);
      if (character == '"') {
        return value.toString();
      }
      value.append(character == '\\' ? escaped() : character);
    }
    throw unexpected();
  }

  private char escaped() {
    if (text.startsWith("u", position) && position + 5 <= text.length()) {
      String digits = text.substring(position + 1, position + 5);
      if (digits.matches("[0-9a-fA-F]{4}")) {
        position += 5;
        return (char) Integer.parseInt(digits, 16);
      }
    }
    int index = position < text.length() ? ESCAPED.indexOf(text.charAt(position)) : -1;
    if (index < 0) {
      throw unexpected();
    }
    position++;
    return UNESCAPED.charAt(index);
  }
}
