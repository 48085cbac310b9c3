package dev.kvant.spi.plan;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Prints trees of maps, lists, texts, numbers, truth values and nulls as JSON (RFC 8259), indented
 * by one space a level. What is none of these is printed as its text.
 */
final class JsonPrinter {

  private final StringBuilder text = new StringBuilder();

  private JsonPrinter() {}

  static String print(@Nullable Object value) {
    JsonPrinter printer = new JsonPrinter();
    printer.value(value, 1);
    return printer.text.append('\n').toString();
  }

  private void value(@Nullable Object value, int depth) {
    if (value instanceof Map<?, ?> map) {
      object(map, depth);
    } else if (value instanceof List<?> list) {
      array(list, depth);
    } else if (value == null || value instanceof Boolean || value instanceof Number) {
      text.append(value);
    } else {
      string(value.toString());
    }
  }

  private void object(Map<?, ?> map, int depth) {
    text.append('{');
    for (Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
        entries.hasNext(); ) {
      Map.Entry<?, ?> entry = entries.next();
      newLine(depth);
      string(String.valueOf(entry.getKey()));
      text.append(": ");
      value(entry.getValue(), depth + 1);
      text.append(entries.hasNext() ? "," : "");
    }
    close(map.isEmpty(), '}', depth);
  }

  private void array(List<?> list, int depth) {
    text.append('[');
    for (Iterator<?> values = list.iterator(); values.hasNext(); ) {
      newLine(depth);
      value(values.next(), depth + 1);
      text.append(values.hasNext() ? "," : "");
    }
    close(list.isEmpty(), ']', depth);
  }

  private void close(boolean isEmpty, char bracket, int depth) {
    if (!isEmpty) {
      newLine(depth - 1);
    }
    text.append(bracket);
  }

  private void newLine(int depth) {
    text.append('\n').append(" ".repeat(depth));
  }

  private void string(String value) {
    text.append('"');
    for (int i = 0; i < value.length(); i++) {
      char character = value.charAt(i);
      if (character == '"' || character == '\\') {
        text.append('\\').append(character);
      } else if (character < ' ') {
        text.append("\\u%04x".formatted((int) character));
      } else {
        text.append(character);
      }
    }
    text.append('"');
  }
}
