package dev.kvant.runtime.config;

import dev.kvant.api.InvalidConfigurationException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Writes single values, lists and maps so that {@link YamlReader} reads them as they were. */
final class YamlValue {

  private YamlValue() {}

  /** A value in one line: a map in braces, a list in brackets. */
  static String of(Object value) {
    if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(
              entry ->
                  "%s: %s"
                      .formatted(
                          key(String.valueOf(entry.getKey())),
                          of(Objects.requireNonNull(entry.getValue()))))
          .collect(Collectors.joining(", ", "{ ", " }"));
    }
    if (value instanceof List<?> list) {
      return list.stream().map(YamlValue::of).collect(Collectors.joining(", ", "[", "]"));
    }
    if (value instanceof Double || value instanceof Float) {
      // Without an exponent, which YAML 1.1 reads as text where it has no sign.
      String digits = new BigDecimal(value.toString()).toPlainString();
      return digits.contains(".") ? digits : digits + ".0";
    }
    if (value instanceof Number || value instanceof Boolean) {
      return value.toString();
    }
    return text(value.toString());
  }

  /** A key, in which nothing is interpolated, quoted where it would be read as something else. */
  static String key(String text) {
    return isPlain(text) ? text : quoted(text);
  }

  /** A text, quoted where it would be read as something else; an interpolation is escaped. */
  private static String text(String text) {
    return key(text.replaceAll("(\\\\*)\\$\\{", "$1$1\\\\\\${"));
  }

  /** Whether it reads as itself, in a list in brackets and behind a key. */
  private static boolean isPlain(String text) {
    try {
      return YamlReader.readValue("[" + text + "]", "") instanceof Node.Sequence sequence
          && sequence.items().size() == 1
          && isText(sequence.items().get(0), text)
          && YamlReader.readValue("key: " + text, "") instanceof Node.Mapping mapping
          && isText(mapping.entries().get("key"), text);
    } catch (InvalidConfigurationException e) {
      return false;
    }
  }

  private static boolean isText(@Nullable Node node, String text) {
    return node instanceof Node.Scalar scalar && text.equals(scalar.value());
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029 || c == 0xfeff) {
        quoted.append("\\u%04x".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }
}
