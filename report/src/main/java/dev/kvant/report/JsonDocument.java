package dev.kvant.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A result for programs: one JSON object with keys in {@code snake_case}, in insertion order. All
 * keys are present; unknown values are {@code null}. Not safe for use by several threads.
 *
 * @since 0.1.0
 */
public final class JsonDocument {

  private static final Gson GSON =
      new GsonBuilder().setPrettyPrinting().serializeNulls().disableHtmlEscaping().create();

  private static final Gson SAFE_IN_HTML = new GsonBuilder().serializeNulls().create();

  /** A list of numbers, each on a line of its own. */
  private static final Pattern NUMBERS =
      Pattern.compile("\\[\\n\\s+((?:[-+.0-9eE]+,\\n\\s+)*+[-+.0-9eE]+)\\n\\s*\\]");

  private final Map<String, @Nullable Object> fields = new LinkedHashMap<>();

  /** A document without fields. */
  public JsonDocument() {}

  /**
   * Adds a field.
   *
   * @param key its name
   * @param value null, a string, boolean or number, a {@link JsonDocument}, or a list or map of
   *     them; an {@link Optional} means its value; a number that is not finite becomes null,
   *     because JSON has none
   * @return this document
   */
  public JsonDocument put(String key, @Nullable Object value) {
    fields.put(key, plain(value));
    return this;
  }

  /**
   * Returns the text of the document, on several lines; a list of numbers is on one.
   *
   * @return ASCII characters only, all others as escapes, so that the character set of the output
   *     does not matter
   */
  public String json() {
    return ascii(onOneLine(GSON.toJson(fields)));
  }

  /** Texts have no line breaks, so that only lists match. */
  private static String onOneLine(String json) {
    return NUMBERS
        .matcher(json)
        .replaceAll(list -> '[' + list.group(1).replaceAll(",\\s+", ", ") + ']');
  }

  /**
   * Returns the text of the document on one line, as the content of an element {@code script}.
   *
   * @return ASCII characters only, without those that have a meaning in HTML
   */
  String inScript() {
    return ascii(SAFE_IN_HTML.toJson(fields));
  }

  /** The document as nested maps and lists. */
  public Map<String, @Nullable Object> fields() {
    return Collections.unmodifiableMap(fields);
  }

  private static @Nullable Object plain(@Nullable Object value) {
    if (value instanceof Optional<?> optional) {
      return plain(optional.orElse(null));
    }
    if (value instanceof JsonDocument document) {
      return document.fields;
    }
    if (value instanceof Iterable<?> list && !(value instanceof Path)) {
      var plain = new ArrayList<@Nullable Object>();
      list.forEach(item -> plain.add(plain(item)));
      return plain;
    }
    if (value instanceof Map<?, ?> map) {
      var plain = new LinkedHashMap<String, @Nullable Object>();
      map.forEach((key, item) -> plain.put(String.valueOf(key), plain(item)));
      return plain;
    }
    if (value instanceof Double number) {
      return Double.isFinite(number) ? number : null;
    }
    return value == null || value instanceof Number || value instanceof Boolean
        ? value
        : value.toString();
  }

  /** Characters beyond ASCII as escapes, so that the stream's character set does not matter. */
  private static String ascii(String json) {
    var text = new StringBuilder(json.length());
    json.chars()
        .forEach(
            c -> {
              if (c < 0x80) {
                text.append((char) c);
              } else {
                text.append(String.format("\\u%04x", c));
              }
            });
    return text.toString();
  }
}
