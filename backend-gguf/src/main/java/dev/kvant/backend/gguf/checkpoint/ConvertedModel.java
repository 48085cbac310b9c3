package dev.kvant.backend.gguf.checkpoint;

import com.google.gson.JsonObject;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.gguf.GgufEntry;
import dev.kvant.kit.NamedTensorsModel;
import dev.kvant.kit.WeightValues;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A checkpoint of Hugging Face as llama.cpp names and stores it. Reads tensors from the checkpoint
 * while they are written, and has nothing to close. Modules also have their names in the
 * checkpoint.
 *
 * @since 0.1.0
 */
public final class ConvertedModel implements QuantizableModel {

  /** The format that it stands for. */
  private static final String FORMAT = "gguf";

  private final QuantizableModel checkpoint;
  private final NamedTensorsModel model;
  private final List<ModuleDescription> modules;
  private final List<GgufEntry> metadata;

  private ConvertedModel(
      QuantizableModel checkpoint,
      NamedTensorsModel model,
      Map<String, String> names,
      List<GgufEntry> metadata) {
    this.checkpoint = checkpoint;
    this.model = model;
    this.metadata = metadata;
    this.modules =
        model.modules().stream()
            .map(
                module ->
                    names.containsKey(module.name())
                        ? new ModuleDescription(
                            List.of(module.name(), names.get(module.name())),
                            module.types(),
                            true,
                            module.tensors())
                        : module)
            .toList();
  }

  /**
   * Converts a checkpoint.
   *
   * @param checkpoint a folder with {@code config.json} and a tokenizer, or its file of weights
   * @param isFloat32 whether llama.cpp reads a module as float32 alone, by its name there
   * @throws UnsupportedModelException if the network, a tensor or the tokenizer is unknown
   * @throws ModelFormatException if a file is damaged
   */
  public static ConvertedModel of(QuantizableModel checkpoint, Predicate<String> isFloat32) {
    try {
      return converted(checkpoint, isFloat32);
    } catch (IllegalStateException
        | UnsupportedOperationException
        | IndexOutOfBoundsException
        | NumberFormatException e) {
      throw new ModelFormatException(
          "config.json or a file of the tokenizer of %s has a value of another type than expected (%s); download it again"
              .formatted(checkpoint.source(), e.getMessage()),
          e);
    }
  }

  private static ConvertedModel converted(
      QuantizableModel checkpoint, Predicate<String> isFloat32) {
    Path source = checkpoint.source().toAbsolutePath();
    Path folder = Files.isDirectory(source) ? source : source.resolveSibling("");
    JsonObject config =
        Json.read(folder.resolve("config.json"))
            .orElseThrow(
                () ->
                    new UnsupportedModelException(
                        "there is no config.json in %s, so the architecture is unknown; give the folder of the checkpoint"
                            .formatted(folder)));
    Architecture architecture = Architecture.of(folder, config);
    Map<String, ModelTensor> tensors = new LinkedHashMap<>();
    Map<String, String> names = new HashMap<>();
    List<String> unknown = new ArrayList<>(checkpoint.opaqueEntries());
    checkpoint
        .tensors()
        .forEach(
            (name, tensor) -> {
              if (architecture.leavesOut(name)) {
                return;
              }
              int dot = name.lastIndexOf('.');
              String module = name.substring(0, Math.max(dot, 0));
              Optional<String> found = architecture.module(module);
              if (found.isEmpty() || !WeightValues.supports(tensor.elementType())) {
                unknown.add(name);
                return;
              }
              String converted = found.get() + name.substring(dot);
              names.put(found.get(), module);
              ModelTensor changed =
                  changed(converted, tensor, architecture.change(found.get()), config);
              boolean small = tensor.shape().size() < 2 || isFloat32.test(found.get());
              tensors.put(
                  converted, small ? ChangedTensor.float32(converted, changed, 0) : changed);
            });
    if (!unknown.isEmpty()) {
      throw new UnsupportedModelException(
          "%s has tensors that are not known for '%s' or not floating-point: %s; convert it with llama.cpp's convert_hf_to_gguf.py, then quantize the GGUF file"
              .formatted(checkpoint.source(), architecture.name(), shortened(unknown)));
    }
    ModelTensor embeddings = tensors.get("token_embd.weight");
    if (embeddings == null || embeddings.shape().size() != 2) {
      throw new ModelFormatException(
          "%s has no table of embeddings of tokens; give the folder of the whole checkpoint"
              .formatted(checkpoint.source()));
    }
    var parameters = new Hyperparameters(folder, config, architecture);
    parameters.frequencies().ifPresent(factors -> tensors.put("rope_freqs.weight", factors));
    var metadata = new Metadata();
    parameters.add(metadata);
    metadata.add(GgufEntry.of("general.file_type", fileType(tensors)));
    int rows = Math.toIntExact(embeddings.shape().get(0));
    Tokenizer.add(folder, config, rows, metadata);
    return new ConvertedModel(
        checkpoint,
        new NamedTensorsModel(checkpoint.source(), FORMAT, tensors, () -> {}),
        names,
        metadata.entries());
  }

  private static String shortened(List<String> names) {
    int shown = 5;
    String text = String.join(", ", names.subList(0, Math.min(shown, names.size())));
    return names.size() > shown ? "%s and %d more".formatted(text, names.size() - shown) : text;
  }

  private static ModelTensor changed(
      String name, ModelTensor tensor, Optional<String> change, JsonObject config) {
    if (change.isEmpty()) {
      return tensor;
    }
    if (change.get().equals("plus one")) {
      return ChangedTensor.float32(name, tensor, 1);
    }
    String key = change.get().substring("pairs of ".length());
    int heads =
        Json.number(config, key)
            .or(() -> Json.number(config, "num_attention_heads"))
            .orElse(1)
            .intValue();
    if (heads < 1 || tensor.shape().get(0) % (2L * heads) != 0) {
      throw new ModelFormatException(
          "'%s' of shape %s does not fall into the %d heads of config.json"
              .formatted(name, tensor.shape(), heads));
    }
    return ChangedTensor.pairs(tensor, heads);
  }

  /** llama.cpp's number for the type of most values. */
  private static int fileType(Map<String, ModelTensor> tensors) {
    Map<ElementType, Long> elements = new HashMap<>();
    tensors
        .values()
        .forEach(tensor -> elements.merge(tensor.elementType(), tensor.elements(), Long::sum));
    ElementType most =
        elements.entrySet().stream()
            .max(Comparator.comparingLong(Map.Entry::getValue))
            .map(Map.Entry::getKey)
            .orElse(ElementType.FLOAT32);
    if (most.equals(ElementType.FLOAT16)) {
      return 1;
    }
    return most.equals(ElementType.BFLOAT16) ? 32 : 0;
  }

  /** The metadata of the GGUF file. */
  public List<GgufEntry> metadata() {
    return metadata;
  }

  @Override
  public Path source() {
    return checkpoint.source();
  }

  @Override
  public List<Path> files() {
    return checkpoint.files();
  }

  @Override
  public String format() {
    return FORMAT;
  }

  @Override
  public List<ModuleDescription> modules() {
    return modules;
  }

  @Override
  public Map<String, ModelTensor> tensors() {
    return model.tensors();
  }

  @Override
  public long tensorBytes() {
    return model.tensorBytes();
  }

  /** Does nothing: the checkpoint stays open. */
  @Override
  public void close() {}
}
