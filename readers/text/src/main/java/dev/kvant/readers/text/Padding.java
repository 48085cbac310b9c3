package dev.kvant.readers.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.kvant.api.DataException;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What a {@code tokenizer.json} says of padding and of the length of texts.
 *
 * @param id the token that texts are padded with
 * @param type the type of these tokens
 * @param isLeft whether they stand before the text
 * @param maxLength the largest number of tokens of a text; empty if the file names none
 */
record Padding(long id, long type, boolean isLeft, OptionalInt maxLength) {

  /** The names of padding tokens, for files that do not say. */
  private static final Set<String> NAMES = Set.of("[PAD]", "<pad>", "<|pad|>");

  /**
   * Reads a file.
   *
   * @throws DataException if it is not a tokenizer.json
   */
  static Padding read(Path file) throws IOException {
    JsonObject root;
    try (Reader reader = RegularFile.text(file)) {
      JsonElement element = JsonParser.parseReader(reader);
      if (!element.isJsonObject() || !element.getAsJsonObject().has("model")) {
        throw new DataException("%s is not a tokenizer.json: it has no 'model'".formatted(file));
      }
      root = element.getAsJsonObject();
    } catch (JsonParseException | java.nio.charset.CharacterCodingException e) {
      throw new DataException(
          "%s is not a tokenizer.json: it is not valid JSON".formatted(file), e);
    }
    OptionalInt maxLength =
        root.get("truncation") instanceof JsonObject truncation && truncation.has("max_length")
            ? OptionalInt.of(truncation.get("max_length").getAsInt())
            : OptionalInt.empty();
    if (root.get("padding") instanceof JsonObject padding) {
      return new Padding(
          number(padding, "pad_id"),
          number(padding, "pad_type_id"),
          padding.has("direction") && padding.get("direction").getAsString().equals("Left"),
          maxLength);
    }
    return new Padding(tokenId(root), 0, false, maxLength);
  }

  private static long number(JsonObject object, String key) {
    return object.has(key) ? object.get(key).getAsLong() : 0;
  }

  private static long tokenId(JsonObject root) {
    if (root.has("added_tokens")) {
      for (JsonElement token : root.getAsJsonArray("added_tokens")) {
        if (NAMES.contains(token.getAsJsonObject().get("content").getAsString())) {
          return token.getAsJsonObject().get("id").getAsLong();
        }
      }
    }
    return 0;
  }
}
