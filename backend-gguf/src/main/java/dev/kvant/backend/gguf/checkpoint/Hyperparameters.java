package dev.kvant.backend.gguf.checkpoint;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.gguf.GgufEntry;
import dev.kvant.kit.ContiguousTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What {@code config.json} says of a network, as metadata. */
final class Hyperparameters {

  private static final String DEFAULT = "default";
  private static final float USUAL_BASE = 10_000;

  /** llama.cpp's numbers for how vectors of tokens become one, by the file's members. */
  private static final Map<String, Integer> POOLING =
      Map.of(
          "pooling_mode_mean_tokens", 1, "pooling_mode_cls_token", 2, "pooling_mode_lasttoken", 3);

  private final Path folder;
  private final JsonObject config;
  private final Architecture architecture;
  private final JsonObject rotation;

  Hyperparameters(Path folder, JsonObject config, Architecture architecture) {
    this.folder = folder;
    this.config = config;
    this.architecture = architecture;
    JsonObject parameters =
        Json.object(config, "rope_parameters")
            .or(() -> Json.object(config, "rope_scaling"))
            .orElseGet(JsonObject::new);
    this.rotation = Json.object(parameters, "full_attention").orElse(parameters);
  }

  void add(Metadata metadata) {
    String name = architecture.name();
    metadata
        .add(GgufEntry.of("general.architecture", name))
        .add(GgufEntry.of("general.type", "model"))
        .add(GgufEntry.of("general.name", String.valueOf(folder.normalize().getFileName())));
    architecture
        .numbers()
        .forEach(
            (key, member) ->
                metadata.add(
                    number(key, member)
                        .orElseThrow(
                            () ->
                                new ModelFormatException(
                                    "%s has no number '%s'"
                                        .formatted(folder.resolve("config.json"), member)))));
    architecture.optional().forEach((key, member) -> number(key, member).ifPresent(metadata::add));
    if (architecture.rotates()) {
      addRotation(metadata);
    } else {
      metadata.add(GgufEntry.of(name + ".attention.causal", false));
      pooling().ifPresent(type -> metadata.add(GgufEntry.of(name + ".pooling_type", type)));
    }
    if (Json.truth(config, "use_sliding_window").orElse(true)
        && (name.startsWith("gemma") || name.equals("phi3"))) {
      int window = Json.number(config, "sliding_window").orElse(0).intValue();
      if (window > 0 || name.equals("phi3")) {
        metadata.add(GgufEntry.of(name + ".attention.sliding_window", window));
      }
    }
  }

  private Optional<GgufEntry> number(String key, String member) {
    String full = architecture.name() + "." + key;
    Optional<Number> found = Json.number(config, member);
    if (found.isEmpty() && member.equals("num_key_value_heads")) {
      found = Json.number(config, "num_attention_heads");
    }
    boolean isFraction = key.endsWith("epsilon") || key.endsWith("softcapping");
    return found.map(
        number ->
            isFraction
                ? GgufEntry.of(full, number.floatValue())
                : GgufEntry.of(full, number.intValue()));
  }

  private int dimensions() {
    int heads = Json.number(config, "num_attention_heads").orElse(1).intValue();
    int width = Json.number(config, "hidden_size").orElse(0).intValue();
    return Json.number(config, "head_dim").orElse(width / Math.max(1, heads)).intValue();
  }

  private float base() {
    return Json.number(rotation, "rope_theta")
        .or(() -> Json.number(config, "rope_theta"))
        .map(Number::floatValue)
        .orElse(USUAL_BASE);
  }

  private String scaling() {
    return Json.text(rotation, "rope_type").or(() -> Json.text(rotation, "type")).orElse(DEFAULT);
  }

  private void addRotation(Metadata metadata) {
    String rope = architecture.name() + ".rope.";
    if (Json.number(config, "partial_rotary_factor")
        .or(() -> Json.number(rotation, "partial_rotary_factor"))
        .filter(factor -> factor.doubleValue() != 1)
        .isPresent()) {
      throw unsupported("partial_rotary_factor");
    }
    metadata
        .add(GgufEntry.of(rope + "dimension_count", dimensions()))
        .add(GgufEntry.of(rope + "freq_base", base()));
    switch (scaling()) {
      case DEFAULT, "llama3" -> {
        // Nothing, or factors as a tensor.
      }
      case "linear", "yarn" -> {
        metadata
            .add(GgufEntry.of(rope + "scaling.type", scaling()))
            .add(GgufEntry.of(rope + "scaling.factor", factor("factor")));
        Json.number(rotation, "original_max_position_embeddings")
            .ifPresent(
                length ->
                    metadata.add(
                        GgufEntry.of(rope + "scaling.original_context_length", length.intValue())));
      }
      default -> throw unsupported("rope_scaling of the type '" + scaling() + "'");
    }
  }

  private UnsupportedModelException unsupported(String what) {
    return new UnsupportedModelException(
        "%s has %s, which cannot be converted; convert it with llama.cpp's convert_hf_to_gguf.py, then quantize the GGUF file"
            .formatted(folder.resolve("config.json"), what));
  }

  private float factor(String member) {
    return Json.number(rotation, member)
        .map(Number::floatValue)
        .orElseThrow(
            () ->
                new ModelFormatException(
                    "%s has no number '%s' for rope_scaling"
                        .formatted(folder.resolve("config.json"), member)));
  }

  /** What Llama 3.1 divides frequencies of rotations by; empty for other networks. */
  Optional<ModelTensor> frequencies() {
    if (!architecture.rotates() || !scaling().equals("llama3")) {
      return Optional.empty();
    }
    double factor = factor("factor");
    double low = factor("low_freq_factor");
    double high = factor("high_freq_factor");
    double length = factor("original_max_position_embeddings");
    int dimensions = dimensions();
    ByteBuffer factors =
        ByteBuffer.allocate(dimensions / 2 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < dimensions / 2; i++) {
      double wavelength = 2 * Math.PI * Math.pow(base(), 2.0 * i / dimensions);
      if (wavelength < length / high) {
        factors.putFloat(1);
      } else if (wavelength > length / low) {
        factors.putFloat((float) factor);
      } else {
        double smooth = (length / wavelength - low) / (high - low);
        factors.putFloat((float) (1 / ((1 - smooth) / factor + smooth)));
      }
    }
    return Optional.of(
        ContiguousTensor.of(
            "factors of frequencies",
            ElementType.FLOAT32,
            List.of((long) dimensions / 2),
            factors.flip()));
  }

  /** How sentence-transformers makes one vector of those of tokens; empty if it says nothing. */
  private Optional<Integer> pooling() {
    Optional<JsonObject> pooling = Json.read(folder.resolve("1_Pooling").resolve("config.json"));
    for (Map.Entry<String, JsonElement> each : pooling.map(JsonObject::entrySet).orElse(Set.of())) {
      Integer number = POOLING.get(each.getKey());
      if (number != null && each.getValue().getAsBoolean()) {
        return Optional.of(number);
      }
    }
    return Optional.empty();
  }
}
