package dev.kvant.api;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
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

  /**
   * A file that is there, with the size that it has.
   *
   * @param path where it is
   * @param format the id of its format
   * @param description what it is for, in one sentence
   * @throws UncheckedIOException if its size cannot be read
   */
  public static Artifact of(Path path, String format, String description) {
    try {
      return new Artifact(path, format, Files.size(path), description);
    } catch (IOException e) {
      throw new UncheckedIOException("the size of %s cannot be read".formatted(path), e);
    }
  }
}
