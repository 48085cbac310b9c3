package dev.kvant.torch;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.torch.archive.ArchiveRecord;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the JSON records of torch.export programs strictly: a repeated name, a missing entry and an
 * entry of another kind are errors that name the record.
 *
 * @param record what is read, for messages
 */
record ExportedJson(String record) {

  /** Many times what the graph of a large language model takes. */
  static final int MAX_BYTES = 64 << 20;

  /** The whole record. */
  static JsonObject read(ArchiveRecord record) {
    var json = new ExportedJson(record.toString());
    String text;
    try {
      text =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(record.readAll(MAX_BYTES)))
              .toString();
    } catch (CharacterCodingException e) {
      throw json.damaged("it is not UTF-8");
    }
    try {
      checkNames(text, json);
      var reader = new JsonReader(new StringReader(text));
      reader.setStrictness(Strictness.STRICT);
      return json.object(JsonParser.parseReader(reader), "the record");
    } catch (IOException | IllegalStateException | JsonParseException | NumberFormatException e) {
      throw json.damaged("it is not JSON: " + Printable.shortened(String.valueOf(e.getMessage())));
    }
  }

  /** A tree would keep the last of several entries of one name. */
  private static void checkNames(String text, ExportedJson json) throws IOException {
    var reader = new JsonReader(new StringReader(text));
    reader.setStrictness(Strictness.STRICT);
    Deque<Set<String>> open = new ArrayDeque<>();
    while (true) {
      JsonToken token = reader.peek();
      switch (token) {
        case BEGIN_OBJECT -> {
          reader.beginObject();
          open.push(new HashSet<>());
        }
        case END_OBJECT -> {
          reader.endObject();
          open.pop();
        }
        case NAME -> {
          String name = reader.nextName();
          if (!open.element().add(name)) {
            throw json.damaged("'%s' is there twice".formatted(Printable.shortened(name)));
          }
        }
        case BEGIN_ARRAY -> reader.beginArray();
        case END_ARRAY -> reader.endArray();
        case END_DOCUMENT -> {
          return;
        }
        default -> reader.skipValue();
      }
    }
  }

  /** An element that is an object. */
  JsonObject object(@Nullable JsonElement element, String what) {
    if (element instanceof JsonObject object) {
      return object;
    }
    throw damaged("%s is no object".formatted(what));
  }

  /** The entry of an object that is an object itself. */
  JsonObject object(JsonObject parent, String name) {
    return object(parent.get(name), "its '%s'".formatted(name));
  }

  /** The entry of an object that is an array. */
  JsonArray array(JsonObject parent, String name) {
    if (parent.get(name) instanceof JsonArray array) {
      return array;
    }
    throw damaged("its '%s' is no array".formatted(name));
  }

  /** The entry of an object that is a text. */
  String text(JsonObject parent, String name) {
    return find(parent, name).orElseThrow(() -> damaged("its '%s' is no text".formatted(name)));
  }

  /** The entry of an object that is a text, if there is one. */
  static Optional<String> find(JsonObject parent, String name) {
    return parent.get(name) instanceof JsonPrimitive value && value.isString()
        ? Optional.of(value.getAsString())
        : Optional.empty();
  }

  /** The entry of an object that is an integer. */
  long number(JsonObject parent, String name) {
    if (parent.get(name) instanceof JsonPrimitive value && value.isNumber()) {
      try {
        return Long.parseLong(value.getAsString());
      } catch (NumberFormatException e) {
        throw damaged("its '%s' is no integer".formatted(name));
      }
    }
    throw damaged("its '%s' is no number".formatted(name));
  }

  /** The entry of an object that is true or false. */
  boolean flag(JsonObject parent, String name) {
    if (parent.get(name) instanceof JsonPrimitive value && value.isBoolean()) {
      return value.getAsBoolean();
    }
    throw damaged("its '%s' is neither true nor false".formatted(name));
  }

  /** The one entry of an object that says which of several kinds its value is of. */
  String kind(JsonObject union) {
    if (union.size() != 1) {
      throw damaged("a value has %d kinds instead of one".formatted(union.size()));
    }
    return union.keySet().iterator().next();
  }

  /** The error of a record that is not as the format requires. */
  ModelFormatException damaged(String what) {
    return new ModelFormatException(
        "%s is damaged: %s; save the program again with torch.export.save".formatted(record, what));
  }
}
