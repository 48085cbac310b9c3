package dev.kvant.spi;

import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Writes a set of files so that either all appear whole or none does. Files are written beside
 * their targets under temporary names; {@link #commit} syncs them and moves each over its target
 * atomically, and puts the older files back if a later one cannot be moved; {@link #close} without
 * it removes them, and the folders that were made for them, and leaves older files as they were.
 *
 * @since 0.1.0
 */
public final class ArtifactTransaction implements AutoCloseable {

  private final Path directory;
  private final @Nullable Path outermostCreated;
  private final Map<Path, Path> temporaryByTarget = new LinkedHashMap<>();
  private boolean finished;

  private ArtifactTransaction(Path directory, @Nullable Path outermostCreated) {
    this.directory = directory;
    this.outermostCreated = outermostCreated;
  }

  /**
   * Begins to write into a folder, which is made if it is not there.
   *
   * @throws KvantException if it cannot be made
   */
  public static ArtifactTransaction begin(Path directory) {
    Path absolute = directory.toAbsolutePath().normalize();
    Path outermostCreated = outermostMissing(absolute);
    try {
      Files.createDirectories(absolute);
    } catch (IOException e) {
      throw new KvantException(
          "the folder %s cannot be made: %s".formatted(directory, reason(e)), e);
    }
    return new ArtifactTransaction(directory, outermostCreated);
  }

  private static @Nullable Path outermostMissing(Path directory) {
    Path missing = null;
    for (Path path = directory; path != null && !Files.exists(path); path = path.getParent()) {
      missing = path;
    }
    return missing;
  }

  /**
   * A temporary file to write what will become the file of that name.
   *
   * @throws KvantException if the folder cannot be written to
   */
  public Path create(String fileName) {
    Path target = directory.resolve(fileName);
    try {
      if (Files.isDirectory(target)) {
        throw new KvantException(
            "%s is a folder; move it away so that the artifact can be written".formatted(target));
      }
      // Files.createTempFile would make it readable by its owner only, and the artifact after it.
      Path temporary =
          Files.createFile(directory.resolve("." + fileName + "." + UUID.randomUUID() + ".tmp"));
      Path stale = temporaryByTarget.put(target, temporary);
      if (stale != null) {
        Files.deleteIfExists(stale);
      }
      return temporary;
    } catch (IOException e) {
      throw new KvantException(
          "nothing can be written into %s: %s".formatted(directory, reason(e)), e);
    }
  }

  /**
   * Puts all files into place.
   *
   * @throws QuantizationCancelledException if the thread was interrupted
   * @throws KvantException if they cannot be put there
   */
  public void commit() {
    if (Thread.currentThread().isInterrupted()) {
      throw new QuantizationCancelledException(
          "writing into %s was interrupted at its end".formatted(directory));
    }
    try {
      for (Path temporary : temporaryByTarget.values()) {
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
          channel.force(true);
        }
      }
      putIntoPlace();
      finished = true;
    } catch (IOException e) {
      throw new KvantException(
          "the artifacts could not be put into place in %s: %s".formatted(directory, reason(e)), e);
    }
  }

  private void putIntoPlace() throws IOException {
    Map<Path, Optional<Path>> olderByTarget = new LinkedHashMap<>();
    try {
      int rest = temporaryByTarget.size();
      for (Map.Entry<Path, Path> entry : temporaryByTarget.entrySet()) {
        rest--;
        Path target = entry.getKey();
        // What is moved last needs no way back.
        Optional<Path> older = rest == 0 ? Optional.empty() : keep(target);
        if (older.isPresent()) {
          olderByTarget.put(target, older);
        }
        move(entry.getValue(), target);
        olderByTarget.putIfAbsent(target, Optional.empty());
      }
    } catch (IOException e) {
      olderByTarget.forEach((target, older) -> putBack(target, older, e));
      throw e;
    }
    for (Optional<Path> older : olderByTarget.values()) {
      if (older.isPresent()) {
        Files.deleteIfExists(older.get());
      }
    }
  }

  /** Gives the file that is at a target a second name, if there is one. */
  private Optional<Path> keep(Path target) throws IOException {
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)
        || Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
      // No file can be moved over a folder, so that it stays by itself.
      return Optional.empty();
    }
    Path older = directory.resolve("." + target.getFileName() + "." + UUID.randomUUID() + ".old");
    try {
      Files.createLink(older, target);
    } catch (UnsupportedOperationException | FileSystemException e) {
      // Not all file systems have links. Without them the target is missing for a moment.
      move(target, older);
    }
    return Optional.of(older);
  }

  private static void putBack(Path target, Optional<Path> older, IOException failure) {
    try {
      if (older.isPresent()) {
        move(older.get(), target);
        // Moving a link over another of the same file leaves both.
        Files.deleteIfExists(older.get());
      } else {
        Files.deleteIfExists(target);
      }
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  private static void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Removes what was not committed. */
  @Override
  public void close() {
    if (finished) {
      return;
    }
    finished = true;
    try {
      for (Path temporary : temporaryByTarget.values()) {
        Files.deleteIfExists(temporary);
      }
      if (outermostCreated != null) {
        removeIfEmpty(directory.toAbsolutePath().normalize(), outermostCreated);
      }
    } catch (IOException e) {
      throw new KvantException(
          "temporary files could not be removed from %s: %s".formatted(directory, reason(e)), e);
    }
  }

  /** What is the matter, without the names of temporary files, which say nothing to anybody. */
  private static String reason(IOException failure) {
    if (failure instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (failure instanceof FileAlreadyExistsException file) {
      return "%s is a file".formatted(file.getFile());
    }
    if (failure instanceof NoSuchFileException) {
      return "there is no such folder";
    }
    if (failure instanceof FileSystemException file && file.getReason() != null) {
      return file.getReason();
    }
    return failure.toString();
  }

  private static void removeIfEmpty(Path innermost, Path outermost) throws IOException {
    for (Path path = innermost;
        path != null && path.startsWith(outermost);
        path = path.getParent()) {
      try (var entries = Files.list(path)) {
        if (entries.findAny().isPresent()) {
          return;
        }
      }
      Files.delete(path);
    }
  }
}
