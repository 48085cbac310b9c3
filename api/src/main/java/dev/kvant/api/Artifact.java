package dev.kvant.api;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A written file.
 *
 * @param path where it is
 * @param role what it is to a reader
 * @param format the id of its format, as in {@code torchscript}
 * @param bytes its size
 * @param description the purpose of the file, in one sentence
 * @since 0.1.0
 */
public record Artifact(Path path, Role role, String format, long bytes, String description) {

  /** What a file is to a reader. */
  public enum Role {
    /** A model that can be opened by itself. */
    MODEL,
    /** A part of a model: a file that another artifact refers to, or that belongs beside it. */
    SIDE_FILE
  }

  public Artifact {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(format, "format");
    Objects.requireNonNull(description, "description");
  }

  /**
   * A model file that is there, with the size that it has.
   *
   * @param path where it is
   * @param format the id of its format
   * @param description the purpose of the file, in one sentence
   * @throws UncheckedIOException if its size cannot be read
   */
  public static Artifact of(Path path, String format, String description) {
    return of(path, Role.MODEL, format, description);
  }

  /**
   * An existing file, with its size.
   *
   * @param path where it is
   * @param role what it is to a reader
   * @param format the id of its format
   * @param description the purpose of the file, in one sentence
   * @throws UncheckedIOException if its size cannot be read
   */
  public static Artifact of(Path path, Role role, String format, String description) {
    try {
      return new Artifact(path, role, format, Files.size(path), description);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the size of %s".formatted(path), e);
    }
  }

  /** Whether it is a model that can be opened by itself. */
  public boolean isModel() {
    return role == Role.MODEL;
  }
}
