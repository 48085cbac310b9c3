package dev.kvant.runtime.verification;

import dev.kvant.api.Internal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A folder that is gone once it is closed, with all that is in it.
 *
 * @param path where it is
 * @since 0.1.0
 */
@Internal
public record TemporaryFolder(Path path) implements AutoCloseable {

  /** A new, empty one. */
  public static TemporaryFolder create() {
    try {
      return new TemporaryFolder(Files.createTempDirectory("kvant"));
    } catch (IOException e) {
      throw new UncheckedIOException("there is no room for temporary files", e);
    }
  }

  @Override
  public void close() {
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be removed".formatted(path), e);
    }
  }
}
