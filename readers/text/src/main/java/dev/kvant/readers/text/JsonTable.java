package dev.kvant.readers.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.kvant.api.DataException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Records that are JSON objects, one on each line. Values that are lists or objects are left out.
 */
final class JsonTable implements TextTable {

  private final TextLines lines;

  JsonTable(TextLines lines) {
    this.lines = lines;
  }

  @Override
  public Optional<Map<String, String>> next() throws IOException {
    String line = lines.next();
    while (line != null && line.isBlank()) {
      line = lines.next();
    }
    if (line == null) {
      return Optional.empty();
    }
    Map<String, String> values = new LinkedHashMap<>();
    object(line)
        .entrySet()
        .forEach(
            entry -> {
              if (entry.getValue().isJsonPrimitive()) {
                values.put(entry.getKey(), entry.getValue().getAsString());
              }
            });
    return Optional.of(values);
  }

  private JsonObject object(String line) {
    JsonElement element;
    try {
      element = JsonParser.parseString(line);
    } catch (JsonParseException e) {
      throw new DataException("%s is not valid JSON: %s".formatted(place(), line(e)), e);
    }
    if (!element.isJsonObject()) {
      throw new DataException(place() + " is not a JSON object");
    }
    return element.getAsJsonObject();
  }

  private static String line(JsonParseException e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
  }

  @Override
  public String place() {
    return lines.place();
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
