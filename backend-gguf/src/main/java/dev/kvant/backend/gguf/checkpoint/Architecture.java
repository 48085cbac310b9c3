package dev.kvant.backend.gguf.checkpoint;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.kvant.api.UnsupportedModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How llama.cpp names and stores the tensors of a kind of network. In names, {@code *} stands for
 * the number of a block.
 *
 * @param name what llama.cpp calls it
 * @param prefix what the names of a checkpoint begin with, or not
 * @param tensors the name of a module here, by that in a checkpoint
 * @param leftOut the tensors of a checkpoint that llama.cpp does not read
 * @param changes how the content of a module changes, by its name here
 * @param numbers a key of {@code config.json}, by that of the metadata
 * @param optional the same, for those that may be absent
 * @param rotates whether positions are rotations of queries and keys
 */
record Architecture(
    String name,
    String prefix,
    Map<String, String> tensors,
    List<String> leftOut,
    Map<String, String> changes,
    Map<String, String> numbers,
    Map<String, String> optional,
    boolean rotates) {

  private static final Pattern BLOCK = Pattern.compile("(?<=\\.)\\d+(?=\\.|$)");

  /**
   * The architecture of a checkpoint.
   *
   * @param folder names it in messages
   * @param config its {@code config.json}
   * @throws UnsupportedModelException if it is unknown
   */
  static Architecture of(Path folder, JsonObject config) {
    String type = Json.text(config, "model_type").orElse("");
    JsonObject architectures = Json.resource("architectures.json");
    var known = new TreeSet<String>();
    for (Map.Entry<String, JsonElement> each : architectures.entrySet()) {
      JsonObject architecture = each.getValue().getAsJsonObject();
      for (JsonElement modelType : architecture.getAsJsonArray("model_types")) {
        if (modelType.getAsString().equals(type)) {
          return of(each.getKey(), architecture);
        }
        known.add(modelType.getAsString());
      }
    }
    throw new UnsupportedModelException(
        "%s has the model_type '%s', which cannot be converted to GGUF (known: %s); convert it with llama.cpp's convert_hf_to_gguf.py, then quantize the GGUF file"
            .formatted(folder.resolve("config.json"), type, String.join(", ", known)));
  }

  private static Architecture of(String name, JsonObject architecture) {
    JsonObject layout =
        Json.resource("layouts.json").getAsJsonObject(architecture.get("layout").getAsString());
    Map<String, String> tensors =
        new LinkedHashMap<>(Json.texts(layout.getAsJsonObject("tensors")));
    tensors.putAll(Json.texts(architecture.getAsJsonObject("tensors")));
    List<String> leftOut = new ArrayList<>();
    layout.getAsJsonArray("left_out").forEach(each -> leftOut.add(each.getAsString()));
    return new Architecture(
        name,
        layout.get("prefix").getAsString(),
        tensors,
        leftOut,
        Json.texts(architecture.getAsJsonObject("changes")),
        Json.texts(layout.getAsJsonObject("numbers")),
        Json.texts(layout.getAsJsonObject("optional")),
        layout.get("rotates").getAsBoolean());
  }

  private String withoutPrefix(String tensor) {
    return tensor.startsWith(prefix) ? tensor.substring(prefix.length()) : tensor;
  }

  /** Whether llama.cpp does not read a tensor of a checkpoint. */
  boolean leavesOut(String tensor) {
    String name = withoutPrefix(tensor);
    return leftOut.stream().anyMatch(pattern -> matches(pattern, name));
  }

  private static boolean matches(String pattern, String name) {
    return Pattern.matches(("\\Q" + pattern + "\\E").replace("*", "\\E.*\\Q"), name);
  }

  /** The name of a module here, by that in a checkpoint; empty if there is none. */
  Optional<String> module(String module) {
    String name = withoutPrefix(module);
    Matcher block = BLOCK.matcher(name);
    if (!block.find()) {
      return Optional.ofNullable(tensors.get(name));
    }
    String number = block.group();
    String pattern = name.substring(0, block.start()) + "*" + name.substring(block.end());
    return Optional.ofNullable(tensors.get(pattern)).map(found -> found.replace("*", number));
  }

  /** How the content of a module changes, by its name here; empty if it does not. */
  Optional<String> change(String module) {
    return changes.entrySet().stream()
        .filter(change -> matches(change.getKey(), module))
        .map(Map.Entry::getValue)
        .findFirst();
  }
}
