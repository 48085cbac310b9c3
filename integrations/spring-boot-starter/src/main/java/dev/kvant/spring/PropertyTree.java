package dev.kvant.spring;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Converts properties, as Spring binds them to a map, to the values of a Kvant document. */
final class PropertyTree {

  /** The key of a map whose keys are patterns, which are case-sensitive. */
  private static final String PATTERNS = "module_classes";

  private static final Pattern WORD_START = Pattern.compile("(?<=[a-z0-9])[A-Z]");
  private static final Pattern INTEGER = Pattern.compile("[+-]?[0-9]{1,18}");
  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?([0-9]+\\.[0-9]*|\\.?[0-9]+)([eE][+-]?[0-9]+)?");

  private PropertyTree() {}

  /**
   * The document: keys in snake case except patterns, maps with the keys 0, 1, … as lists, and
   * texts that are numbers or truth values converted, because properties files contain only text.
   */
  static Map<String, @Nullable Object> document(Map<?, ?> properties) {
    Map<String, @Nullable Object> document = new LinkedHashMap<>();
    properties.forEach(
        (key, value) -> {
          String name = snakeCase(String.valueOf(key));
          document.put(name, PATTERNS.equals(name) ? value : value(value));
        });
    return document;
  }

  private static @Nullable Object value(@Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      return isList(map) ? list(map) : document(map);
    }
    if (value instanceof List<?> list) {
      List<@Nullable Object> items = new ArrayList<>();
      list.forEach(item -> items.add(value(item)));
      return items;
    }
    return value instanceof String text ? typed(text) : value;
  }

  private static boolean isList(Map<?, ?> map) {
    for (int i = 0; i < map.size(); i++) {
      if (!map.containsKey(String.valueOf(i))) {
        return false;
      }
    }
    return !map.isEmpty();
  }

  private static List<@Nullable Object> list(Map<?, ?> map) {
    List<@Nullable Object> items = new ArrayList<>();
    for (int i = 0; i < map.size(); i++) {
      items.add(value(map.get(String.valueOf(i))));
    }
    return items;
  }

  private static Object typed(String text) {
    if (text.equals("true") || text.equals("false")) {
      return Boolean.valueOf(text);
    }
    if (INTEGER.matcher(text).matches()) {
      return Long.valueOf(text);
    }
    return DECIMAL.matcher(text).matches() ? Double.valueOf(text) : text;
  }

  private static String snakeCase(String key) {
    return WORD_START.matcher(key).replaceAll("_$0").replace('-', '_').toLowerCase(Locale.ROOT);
  }
}
