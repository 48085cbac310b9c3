package dev.kvant.spark;

import dev.kvant.api.KvantException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A temporary folder of one task on the disk of its executor. */
final class TaskFolder implements AutoCloseable {

  private final Path path;

  private TaskFolder(Path path) {
    this.path = path;
  }

  /**
   * Creates the folder.
   *
   * @throws KvantException if there is no place for it
   */
  static TaskFolder create() {
    try {
      return new TaskFolder(Files.createTempDirectory("kvant-task-"));
    } catch (IOException e) {
      throw new KvantException("no temporary folder can be created: " + e, e);
    }
  }

  Path path() {
    return path;
  }

  /** Removes the folder with all that is in it. */
  @Override
  public void close() {
    remove(path);
  }

  /** Removes a folder with all that is in it, if it exists. */
  static void remove(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    List<Path> entries;
    try (Stream<Path> walk = Files.walk(folder)) {
      entries = walk.sorted(Comparator.reverseOrder()).toList();
      for (Path entry : entries) {
        Files.delete(entry);
      }
    } catch (IOException e) {
      throw new KvantException("%s cannot be removed: %s".formatted(folder, e), e);
    }
  }
}
