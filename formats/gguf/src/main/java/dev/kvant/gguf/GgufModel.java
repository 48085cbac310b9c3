package dev.kvant.gguf;

import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.kit.NamedTensorsModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A GGUF file as a model: modules from the names of its tensors. */
final class GgufModel implements QuantizableModel {

  private final NamedTensorsModel model;
  private final Optional<String> quantizedBy;

  /** Takes over a file, which is closed with the model, or at once if it has no tensors. */
  GgufModel(GgufFile file) {
    try {
      this.model = new NamedTensorsModel(file.path(), GgufFormat.ID, file.tensors(), file::close);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
    this.quantizedBy =
        file.tensors().entrySet().stream()
            .filter(tensor -> tensor.getValue().elementType().blockElements() > 1)
            .findFirst()
            .map(
                tensor ->
                    "llama.cpp: '%s' holds blocks of %s"
                        .formatted(tensor.getKey(), tensor.getValue().elementType()));
  }

  @Override
  public Path source() {
    return model.source();
  }

  @Override
  public String format() {
    return model.format();
  }

  @Override
  public List<ModuleDescription> modules() {
    return model.modules();
  }

  @Override
  public Optional<ModuleDescription> root() {
    return model.root();
  }

  @Override
  public Map<String, ModelTensor> tensors() {
    return model.tensors();
  }

  @Override
  public long tensorBytes() {
    return model.tensorBytes();
  }

  @Override
  public Optional<String> quantizedBy() {
    return quantizedBy;
  }

  @Override
  public void close() {
    model.close();
  }
}
