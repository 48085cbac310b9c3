package dev.kvant.report;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.TensorDescription;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A model of modules with one weight matrix of 8 rows and 4 columns each, in a file. */
record StoredModel(Path source, List<String> names) implements QuantizableModel {

  static final long BYTES = 1_000;

  /** Writes a file of {@link #BYTES} bytes. */
  static StoredModel in(Path folder, List<String> names) {
    try {
      return new StoredModel(
          Files.write(folder.resolve("model.bin"), new byte[(int) BYTES]), List.copyOf(names));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String format() {
    return "stored";
  }

  @Override
  public List<ModuleDescription> modules() {
    return names.stream()
        .map(
            name ->
                new ModuleDescription(
                    List.of(name),
                    List.of("Linear"),
                    false,
                    List.of(
                        new TensorDescription(
                            "weight", ElementType.FLOAT16, List.of(8L, 4L), name))))
        .toList();
  }

  @Override
  public Map<String, ModelTensor> tensors() {
    return Map.of();
  }

  @Override
  public long tensorBytes() {
    return 64L * names.size();
  }

  @Override
  public void close() {}
}
