package dev.kvant.maven;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.codehaus.plexus.configuration.PlexusConfiguration;
import org.jspecify.annotations.Nullable;

/**
 * Reads a spec that is written as XML in a POM. Elements are keys; {@code <layers>} with children
 * {@code <layer>}, and any other element whose children have its name without the final "s", is a
 * list.
 */
final class InlineSpec {

  private static final Pattern INTEGER = Pattern.compile("[+-]?\\d{1,18}");
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(\\d+\\.\\d*|\\.?\\d+)([eE][+-]?\\d+)?");

  private InlineSpec() {}

  /** The document whose section {@code quantize} is that element. */
  static Map<String, Object> document(PlexusConfiguration quantize) {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("quantize", mapping(quantize));
    return document;
  }

  private static Map<String, Object> mapping(PlexusConfiguration element) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (PlexusConfiguration child : element.getChildren()) {
      values.put(child.getName(), value(child));
    }
    return values;
  }

  private static Object value(PlexusConfiguration element) {
    if (element.getChildCount() == 0) {
      return scalar(element.getValue());
    }
    return isList(element) ? list(element) : mapping(element);
  }

  private static boolean isList(PlexusConfiguration element) {
    for (PlexusConfiguration child : element.getChildren()) {
      if (!element.getName().equals(child.getName() + "s")) {
        return false;
      }
    }
    return true;
  }

  private static List<Object> list(PlexusConfiguration element) {
    List<Object> items = new ArrayList<>();
    for (PlexusConfiguration child : element.getChildren()) {
      items.add(value(child));
    }
    return items;
  }

  /** A text as a YAML document would understand it where it stands unquoted. */
  static Object scalar(@Nullable String written) {
    String text = written == null ? "" : written.strip();
    if (text.equals("true") || text.equals("false")) {
      return Boolean.valueOf(text);
    }
    if (INTEGER.matcher(text).matches()) {
      long number = Long.parseLong(text);
      return number == (int) number ? (Object) (int) number : (Object) number;
    }
    return NUMBER.matcher(text).matches() ? (Object) Double.valueOf(text) : text;
  }
}
