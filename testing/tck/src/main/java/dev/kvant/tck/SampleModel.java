package dev.kvant.tck;

import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.ModelFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A model to try a backend on. Small ones do: two modules that can be quantized and one that cannot
 * show more than many.
 *
 * @param name what to call it in the names of tests
 * @param path its file or folder, which is copied before anything is done to it
 * @param format what opens it
 * @since 0.1.0
 */
public record SampleModel(String name, Path path, ModelFormat format) {

  public SampleModel {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(format, "format");
  }

  /** Opens it where it lies. */
  QuantizableModel open() {
    return format.open(existing());
  }

  /** Opens a copy of it that lies in that folder alone. */
  QuantizableModel openCopyIn(Path folder) {
    return format.open(copyTo(folder));
  }

  /** Copies it into a folder, which is made. */
  Path copyTo(Path folder) {
    Path target = folder.resolve(path.getFileName().toString());
    try {
      FolderContent.copy(existing(), target);
    } catch (IOException e) {
      throw new UncheckedIOException("the sample '%s' cannot be copied".formatted(name), e);
    }
    return target;
  }

  private Path existing() {
    if (!Files.exists(path)) {
      throw new AssertionError(
          "the sample '%s' is not there: samples() names %s"
              .formatted(name, path.toAbsolutePath()));
    }
    return path;
  }

  @Override
  public String toString() {
    return name;
  }
}
