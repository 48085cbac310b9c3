package dev.kvant.torch;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the {@code config.json} beside a checkpoint says, as transformers writes it.
 *
 * @param modelType the kind of network, as in {@code gpt2}
 * @param quantization the method that the weights were quantized by
 */
record ModelConfig(Optional<String> modelType, Optional<String> quantization) {

  /** Says nothing. */
  static final ModelConfig NONE = new ModelConfig(Optional.empty(), Optional.empty());

  private static final String FILE_NAME = "config.json";
  private static final int MAX_BYTES = 1 << 20;

  /** The one beside a file or in a folder; one that cannot be read says nothing. */
  static ModelConfig of(Path model) {
    Path file =
        Files.isDirectory(model) ? model.resolve(FILE_NAME) : model.resolveSibling(FILE_NAME);
    try {
      if (!Files.isRegularFile(file) || Files.size(file) > MAX_BYTES) {
        return NONE;
      }
      return read(Files.readString(file, StandardCharsets.UTF_8));
    } catch (IOException | IllegalStateException | NumberFormatException e) {
      // Other programs have files of that name as well.
      return NONE;
    }
  }

  private static ModelConfig read(String text) throws IOException {
    @Nullable String type = null;
    @Nullable String method = null;
    try (var json = new JsonReader(new StringReader(text))) {
      json.setStrictness(Strictness.STRICT);
      json.beginObject();
      while (json.hasNext()) {
        String name = json.nextName();
        if (name.equals("model_type") && json.peek() == JsonToken.STRING) {
          type = json.nextString();
        } else if (name.equals("quantization_config") && json.peek() == JsonToken.BEGIN_OBJECT) {
          method = method(json);
        } else {
          json.skipValue();
        }
      }
      json.endObject();
    }
    return new ModelConfig(Optional.ofNullable(type), Optional.ofNullable(method));
  }

  private static @Nullable String method(JsonReader json) throws IOException {
    @Nullable String method = null;
    json.beginObject();
    while (json.hasNext()) {
      if (json.nextName().equals("quant_method") && json.peek() == JsonToken.STRING) {
        method = json.nextString();
      } else {
        json.skipValue();
      }
    }
    json.endObject();
    return method;
  }
}
