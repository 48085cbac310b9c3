package dev.kvant.runtime.evaluation;

import dev.kvant.api.Internal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The size of files on disk; of a folder, that of all files in it.
 *
 * @since 0.1.0
 */
@Internal
public final class FileBytes {

  private FileBytes() {}

  /** The size of all files and folders together. */
  public static long of(List<Path> filesOrFolders) {
    return filesOrFolders.stream().mapToLong(FileBytes::of).sum();
  }

  private static long of(Path fileOrFolder) {
    try (Stream<Path> inside = Files.walk(fileOrFolder)) {
      return inside.filter(Files::isRegularFile).mapToLong(FileBytes::size).sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
