package dev.kvant.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("The schema of reports")
class ReportSchemaTest {

  @TempDir private Path folder;

  private static JsonObject schema() throws IOException {
    try (InputStream in = ReportDocument.class.getResourceAsStream("report.schema.json")) {
      return JsonParser.parseReader(
              new InputStreamReader(Objects.requireNonNull(in), StandardCharsets.UTF_8))
          .getAsJsonObject();
    }
  }

  private JsonObject report() {
    List<String> names = Samples.names(3);
    JsonDocument document =
        ReportDocument.of(
            StoredModel.in(folder, names),
            Samples.saved(folder, names),
            Samples.evaluation(folder),
            new JsonDocument().put("path", null).put("text", "quantize: {}"));
    return JsonParser.parseString(document.json()).getAsJsonObject();
  }

  @Test
  void accepts_reports() throws IOException {
    assertThat(problems(report(), schema())).isEmpty();
  }

  @Test
  void accepts_reports_of_records() throws IOException {
    List<String> names = Samples.names(3);
    JsonDocument document =
        ReportDocument.ofRecord(
            StoredModel.in(folder, names), Samples.report(names), Optional.empty());

    assertThat(problems(JsonParser.parseString(document.json()), schema())).isEmpty();
  }

  @Test
  void refuses_other_types_other_versions_and_missing_keys() throws IOException {
    JsonObject report = report();
    report.addProperty("report_version", 2);
    report.addProperty("backend", 3);
    report.remove("spec");
    report.getAsJsonArray("modules").get(1).getAsJsonObject().remove("sqnr_db");

    assertThat(problems(report, schema()))
        .containsExactlyInAnyOrder(
            "/report_version: 2", "/backend: 3", ": keys", "/modules/1: keys");
  }

  /** What a value has that a schema does not describe, and the other way round. */
  private static List<String> problems(JsonElement value, JsonObject schema) {
    List<String> problems = new ArrayList<>();
    check("", value, schema, problems);
    return problems;
  }

  private static void check(
      String place, JsonElement value, JsonObject schema, List<String> problems) {
    if (!types(schema.get("type")).contains(type(value))
        && !(type(value).equals("integer") && types(schema.get("type")).contains("number"))) {
      problems.add(place + ": " + value);
      return;
    }
    if (schema.has("const") && !schema.get("const").equals(value)) {
      problems.add(place + ": " + value);
    }
    if (schema.has("enum") && !schema.getAsJsonArray("enum").contains(value)) {
      problems.add(place + ": " + value);
    }
    if (value.isJsonArray()) {
      JsonArray array = value.getAsJsonArray();
      for (int i = 0; i < array.size(); i++) {
        check(place + "/" + i, array.get(i), schema.getAsJsonObject("items"), problems);
      }
    }
    if (value.isJsonObject() && schema.has("properties")) {
      JsonObject properties = schema.getAsJsonObject("properties");
      Set<String> required = types(schema.get("required"));
      if (!required.equals(value.getAsJsonObject().keySet())
          || !required.equals(properties.keySet())) {
        problems.add(place + ": keys");
      }
      value
          .getAsJsonObject()
          .asMap()
          .forEach(
              (key, each) -> {
                if (properties.has(key)) {
                  check(place + "/" + key, each, properties.getAsJsonObject(key), problems);
                }
              });
    }
  }

  private static Set<String> types(JsonElement names) {
    Set<String> all = new TreeSet<>();
    if (names.isJsonArray()) {
      names.getAsJsonArray().forEach(name -> all.add(name.getAsString()));
    } else {
      all.add(names.getAsString());
    }
    return all;
  }

  private static String type(JsonElement value) {
    if (value.isJsonNull()) {
      return "null";
    }
    if (value.isJsonArray()) {
      return "array";
    }
    if (value.isJsonObject()) {
      return "object";
    }
    if (value.getAsJsonPrimitive().isBoolean()) {
      return "boolean";
    }
    if (value.getAsJsonPrimitive().isString()) {
      return "string";
    }
    return value.getAsString().matches("-?\\d+") ? "integer" : "number";
  }
}
