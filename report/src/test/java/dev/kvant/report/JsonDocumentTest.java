package dev.kvant.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class JsonDocumentTest {

  @Test
  void what_is_not_known_is_null_and_never_left_out() {
    var document =
        new JsonDocument()
            .put("missing", null)
            .put("empty", Optional.empty())
            .put("infinite", Double.POSITIVE_INFINITY)
            .put("nan", Double.NaN);

    JsonObject parsed = parsed(document);

    assertThat(parsed.keySet()).containsExactly("missing", "empty", "infinite", "nan");
    assertThat(parsed.entrySet()).allMatch(entry -> entry.getValue().isJsonNull());
  }

  @Test
  void values_nest() {
    var document =
        new JsonDocument()
            .put("list", List.of(new JsonDocument().put("count", 3L), 1.5))
            .put("map", Map.of("flag", true))
            .put("path", Path.of("a", "b"));

    JsonObject parsed = parsed(document);

    assertThat(parsed.getAsJsonArray("list").get(0).getAsJsonObject().get("count").getAsLong())
        .isEqualTo(3);
    assertThat(parsed.getAsJsonArray("list").get(1).getAsDouble()).isEqualTo(1.5);
    assertThat(parsed.getAsJsonObject("map").get("flag").getAsBoolean()).isTrue();
    assertThat(parsed.get("path").getAsString()).isEqualTo(Path.of("a", "b").toString());
  }

  @Test
  void characters_beyond_ascii_survive_any_character_set() {
    var document = new JsonDocument().put("name", "Größe 🎲 <b> \"x\"");

    assertThat(document.json()).matches("\\p{ASCII}+");
    assertThat(parsed(document).get("name").getAsString()).isEqualTo("Größe 🎲 <b> \"x\"");
  }

  private static JsonObject parsed(JsonDocument document) {
    return JsonParser.parseString(document.json()).getAsJsonObject();
  }
}
