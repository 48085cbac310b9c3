package dev.kvant.kit;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.TensorDescription;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A model from a file of named tensors. Its modules follow from the names: {@code fc.weight} is the
 * tensor {@code weight} of the module {@code fc}. Their classes are unknown; a configuration names
 * them in {@code module_classes}.
 *
 * <p>Stands for {@code safetensors}: every backend that reads {@code safetensors} reads it.
 *
 * @since 0.1.0
 */
public final class NamedTensorsModel implements QuantizableModel {

  /** The id of the format that such models stand for. */
  private static final String SAFETENSORS = "safetensors";

  private final Path source;
  private final String format;
  private final Map<String, ModelTensor> tensors;
  private final Runnable closing;
  private final Optional<ModuleDescription> root;
  private final List<ModuleDescription> modules;

  /**
   * A model.
   *
   * @param source the file
   * @param format the id of its format
   * @param tensors the tensors by name, in the file's order
   * @param closing releases the file; runs once for each call of {@link #close()}
   * @throws ModelFormatException if there is no tensor
   */
  public NamedTensorsModel(
      Path source, String format, Map<String, ? extends ModelTensor> tensors, Runnable closing) {
    this.source = Objects.requireNonNull(source, "source");
    this.format = Objects.requireNonNull(format, "format");
    this.tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    this.closing = Objects.requireNonNull(closing, "closing");
    if (tensors.isEmpty()) {
      throw new ModelFormatException("%s has no tensors".formatted(source));
    }
    Map<String, List<TensorDescription>> byModule = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
            byModule.computeIfAbsent(name.substring(0, dot), key -> new ArrayList<>());
          }
          int dot = name.lastIndexOf('.');
          byModule
              .computeIfAbsent(name.substring(0, Math.max(dot, 0)), key -> new ArrayList<>())
              .add(
                  new TensorDescription(
                      name.substring(dot + 1),
                      tensor.elementType(),
                      tensor.shape(),
                      tensor.identity()));
        });
    this.root = Optional.ofNullable(byModule.remove("")).map(own -> module("", own));
    this.modules =
        byModule.entrySet().stream().map(each -> module(each.getKey(), each.getValue())).toList();
  }

  private static ModuleDescription module(String name, List<TensorDescription> tensors) {
    return new ModuleDescription(List.of(name), List.of(), true, tensors);
  }

  @Override
  public Path source() {
    return source;
  }

  @Override
  public String format() {
    return format;
  }

  @Override
  public List<String> compatibleFormats() {
    return List.of(format, SAFETENSORS);
  }

  @Override
  public List<ModuleDescription> modules() {
    return modules;
  }

  @Override
  public Optional<ModuleDescription> root() {
    return root;
  }

  @Override
  public Map<String, ModelTensor> tensors() {
    return tensors;
  }

  @Override
  public long tensorBytes() {
    Map<String, Long> bytes = new HashMap<>();
    tensors.values().forEach(tensor -> bytes.put(tensor.identity(), tensor.bytes()));
    return bytes.values().stream().mapToLong(Long::longValue).sum();
  }

  @Override
  public void close() {
    closing.run();
  }
}
