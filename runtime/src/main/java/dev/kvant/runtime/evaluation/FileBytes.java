package dev.kvant.runtime.evaluation;

import dev.kvant.api.Internal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
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
  public static long of(Collection<Path> filesOrFolders) {
    return filesOrFolders.stream().mapToLong(FileBytes::of).sum();
  }

  /** The size of a file, or of all files in a folder. */
  public static long of(Path fileOrFolder) {
    try (Stream<Path> inside = Files.walk(fileOrFolder)) {
      long bytes = 0;
      for (Path file : inside.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
      }
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException("the size of %s cannot be read".formatted(fileOrFolder), e);
    }
  }
}
