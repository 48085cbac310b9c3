package dev.kvant.spi;

import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizableModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the files of a model were at some moment: their sizes, times and identities. Tensors are
 * read for as long as a run takes; if somebody replaces or overwrites a file meanwhile, some of
 * them are of one model and some of another.
 *
 * @since 0.1.0
 */
public final class SourceState {

  /** What shows that a file is another one, or was written to. */
  private record Mark(long bytes, FileTime modified, @Nullable Object key) {

    static Optional<Mark> of(Path file) {
      try {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return attributes.isRegularFile()
            ? Optional.of(
                new Mark(attributes.size(), attributes.lastModifiedTime(), attributes.fileKey()))
            : Optional.empty();
      } catch (IOException gone) {
        return Optional.empty();
      }
    }
  }

  private final Map<Path, Mark> marks;

  private SourceState(Map<Path, Mark> marks) {
    this.marks = marks;
  }

  /**
   * The present state of a model's files; of a folder, that of the files in it that are not hidden.
   * Of what is no file it knows nothing.
   */
  public static SourceState of(QuantizableModel model) {
    Objects.requireNonNull(model, "model");
    Map<Path, Mark> marks = new LinkedHashMap<>();
    for (Path file : model.files()) {
      for (Path each : Files.isDirectory(file) ? content(file) : List.of(file)) {
        Mark.of(each).ifPresent(mark -> marks.put(each, mark));
      }
    }
    return new SourceState(marks);
  }

  private static List<Path> content(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> !file.getFileName().toString().startsWith(".")).sorted().toList();
    } catch (IOException e) {
      throw new KvantException("%s cannot be read: %s".formatted(folder, e.getMessage()), e);
    }
  }

  /**
   * Checks that the files are still the same and were not written to.
   *
   * @throws KvantException if one was
   */
  public void check() {
    marks.forEach(
        (file, mark) -> {
          if (!Mark.of(file).equals(Optional.of(mark))) {
            throw new KvantException(
                "%s was changed or replaced while it was read, so nothing was written; quantize it again"
                    .formatted(file));
          }
        });
  }
}
