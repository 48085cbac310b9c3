package dev.kvant.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.stream.Stream;

/**
 * Sizes on disk.
 *
 * @since 0.1.0
 */
public final class FileSize {

  private FileSize() {}

  /** The size of all files or folders of a model together. */
  public static long of(Collection<Path> paths) {
    return paths.stream().mapToLong(FileSize::of).sum();
  }

  /** The size of a file, or of all files in a folder. */
  public static long of(Path path) {
    try (Stream<Path> files = Files.walk(path)) {
      long bytes = 0;
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
      }
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException("the size of %s cannot be read".formatted(path), e);
    }
  }
}
