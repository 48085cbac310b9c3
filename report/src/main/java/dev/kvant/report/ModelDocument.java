package dev.kvant.report;

import dev.kvant.api.QuantizableModel;
import dev.kvant.runtime.evaluation.FileBytes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model file for programs.
 *
 * @since 0.1.0
 */
public final class ModelDocument {

  private ModelDocument() {}

  /** Where it is, what it is, and how much it holds. */
  public static JsonDocument of(QuantizableModel model) {
    return new JsonDocument()
        .put("path", model.source())
        .put("format", model.format())
        .put("files", model.files().size())
        .put("bytes", size(model.files()))
        .put("tensor_bytes", model.tensorBytes());
  }

  /** The size on disk; null for a model whose files were moved since it was opened. */
  private static @Nullable Long size(List<Path> files) {
    return files.stream().allMatch(Files::exists) ? Long.valueOf(FileBytes.of(files)) : null;
  }
}
