package dev.kvant.backend.gguf.checkpoint;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.kvant.api.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads objects of JSON: those beside a checkpoint, and those of this package. */
final class Json {

  private static final int MAX_BYTES = 1 << 27;

  private Json() {}

  /**
   * Reads a file.
   *
   * @return empty if there is none
   * @throws ModelFormatException if it cannot be read or is not an object
   */
  static Optional<JsonObject> read(Path file) {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    checkSize(file);
    try (Reader content = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      JsonElement json = JsonParser.parseReader(content);
      if (json.isJsonObject()) {
        return Optional.of(json.getAsJsonObject());
      }
    } catch (JsonParseException | IOException e) {
      throw new ModelFormatException(
          "%s cannot be read: %s; download it again".formatted(file, e.getMessage()), e);
    }
    throw new ModelFormatException("%s is not a JSON object; download it again".formatted(file));
  }

  /**
   * Checks that a file is not too large to be held in memory.
   *
   * @throws ModelFormatException if it is
   */
  static void checkSize(Path file) {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new ModelFormatException(
            "%s has %d bytes, more than the %d that are read into memory"
                .formatted(file, Files.size(file), MAX_BYTES));
      }
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(file, e), e);
    }
  }

  /** Reads a resource of this package. */
  static JsonObject resource(String name) {
    try (InputStream content = Objects.requireNonNull(Json.class.getResourceAsStream(name), name)) {
      return JsonParser.parseReader(new InputStreamReader(content, StandardCharsets.UTF_8))
          .getAsJsonObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A member; empty if it is absent or null. */
  static Optional<JsonElement> member(@Nullable JsonElement object, String name) {
    return object == null || !object.isJsonObject()
        ? Optional.empty()
        : Optional.ofNullable(object.getAsJsonObject().get(name))
            .filter(member -> !member.isJsonNull());
  }

  /** A member that is an object; empty if it is not. */
  static Optional<JsonObject> object(@Nullable JsonElement object, String name) {
    return member(object, name).filter(JsonElement::isJsonObject).map(JsonElement::getAsJsonObject);
  }

  /** A member that is a text; empty if it is not. */
  static Optional<String> text(@Nullable JsonElement object, String name) {
    return member(object, name)
        .filter(member -> member.isJsonPrimitive() && member.getAsJsonPrimitive().isString())
        .map(JsonElement::getAsString);
  }

  /** A member that is a number; empty if it is not. */
  static Optional<Number> number(@Nullable JsonElement object, String name) {
    return member(object, name)
        .filter(member -> member.isJsonPrimitive() && member.getAsJsonPrimitive().isNumber())
        .map(JsonElement::getAsNumber);
  }

  /** Whether a member is {@code true}; empty if it is not a truth value. */
  static Optional<Boolean> truth(@Nullable JsonElement object, String name) {
    return member(object, name)
        .filter(member -> member.isJsonPrimitive() && member.getAsJsonPrimitive().isBoolean())
        .map(JsonElement::getAsBoolean);
  }

  /** The members of an object as texts, in its order. */
  static Map<String, String> texts(JsonObject object) {
    Map<String, String> texts = new LinkedHashMap<>();
    object.asMap().forEach((name, value) -> texts.put(name, value.getAsString()));
    return texts;
  }
}
