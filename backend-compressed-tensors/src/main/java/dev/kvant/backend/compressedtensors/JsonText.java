package dev.kvant.backend.compressedtensors;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import dev.kvant.api.ModelFormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The text of a JSON object, to which members are added. */
record JsonText(String text, JsonObject object) {

  private static final Gson JSON =
      new GsonBuilder()
          .setPrettyPrinting()
          .disableHtmlEscaping()
          .serializeNulls()
          .setStrictness(Strictness.LENIENT)
          .create();

  /** An object without members. */
  static final JsonText EMPTY = of(new JsonObject());

  /** The text of an object. */
  static JsonText of(JsonObject object) {
    return new JsonText(JSON.toJson(object) + "\n", object);
  }

  /**
   * Reads a file. Python's NaN and Infinity are accepted.
   *
   * @throws ModelFormatException if it cannot be read or is not an object
   */
  static JsonText read(Path file) {
    try {
      String text = Files.readString(file, StandardCharsets.UTF_8);
      JsonElement json = JsonParser.parseString(text);
      if (json.isJsonObject()) {
        return new JsonText(text, json.getAsJsonObject());
      }
    } catch (JsonParseException | IOException e) {
      throw new ModelFormatException(
          "%s cannot be read: %s; download it again".formatted(file, e.getMessage()), e);
    }
    throw new ModelFormatException("%s is not a JSON object; download it again".formatted(file));
  }

  /** This with one member more, or with another value of it. All else keeps its spelling. */
  JsonText with(String name, JsonElement value) {
    JsonObject extended = object.deepCopy();
    extended.add(name, value);
    if (object.isEmpty() || object.has(name)) {
      return of(extended);
    }
    var member = new JsonObject();
    member.add(name, value);
    String added = JSON.toJson(member);
    return new JsonText(
        text.substring(0, text.lastIndexOf('}')).stripTrailing() + "," + added.substring(1) + "\n",
        extended);
  }
}
