package dev.kvant.api;

import java.nio.file.Path;
import java.util.Objects;

/**
 * A file that was written.
 *
 * @param path where it is
 * @param format the id of its format, as in {@code torchscript}
 * @param bytes its size
 * @param description what it is for, in one sentence
 * @since 0.1.0
 */
public record Artifact(Path path, String format, long bytes, String description) {

  public Artifact {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(format, "format");
    Objects.requireNonNull(description, "description");
  }
}
