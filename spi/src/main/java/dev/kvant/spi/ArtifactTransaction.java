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
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes a set of files so that either all appear whole or none does. Files are written beside
 * their targets under temporary names; {@link #commit} syncs them and moves each over its target
 * atomically, and puts the older files back if a later one cannot be moved; {@link #close} without
 * it removes them, and the folders that were made for them, and leaves older files as they were.
 *
 * <p>While a file is written, a hidden file beside it names the process that writes it, and others
 * that would write the same file are refused. What a process left that was killed is removed by the
 * next transaction in the folder: its temporary files, and if it was killed between the moves of
 * {@link #commit}, the older files are put back.
 *
 * @since 0.1.0
 */
public final class ArtifactTransaction implements AutoCloseable {

  private final Path directory;
  private final @Nullable Path outermostCreated;
  private final Map<Path, Path> temporaryByTarget = new LinkedHashMap<>();
  private final Map<String, ArtifactLock> locks = new LinkedHashMap<>();
  private final String run = UUID.randomUUID().toString();
  private final @Nullable SourceState source;
  private boolean finished;

  private ArtifactTransaction(
      Path directory, @Nullable Path outermostCreated, @Nullable SourceState source) {
    this.directory = directory;
    this.source = source;
    this.outermostCreated = outermostCreated;
  }

  /**
   * Begins to write into a folder, which is made if it is not there, and removes what processes
   * left in it that were killed.
   *
   * @throws KvantException if it cannot be made
   */
  public static ArtifactTransaction begin(Path directory) {
    return begin(directory, null);
  }

  /**
   * Begins to write what is made from a model. {@link #commit} refuses to put it into place if the
   * model's files are changed meanwhile.
   *
   * @param source the model's files before the first of them is read for what is written
   * @throws KvantException if the folder cannot be made
   */
  public static ArtifactTransaction begin(Path directory, @Nullable SourceState source) {
    Path absolute = directory.toAbsolutePath().normalize();
    Path outermostCreated = outermostMissing(absolute);
    try {
      Files.createDirectories(absolute);
      Leftovers.removeAllIn(absolute);
    } catch (IOException e) {
      throw new KvantException(
          "the folder %s cannot be made: %s".formatted(directory, reason(e)), e);
    }
    return new ArtifactTransaction(directory, outermostCreated, source);
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
   * @throws KvantException if the folder cannot be written to, or another process or transaction
   *     writes that file
   */
  public Path create(String fileName) {
    Path target = directory.resolve(fileName);
    try {
      if (Files.isDirectory(target)) {
        throw new KvantException(
            "%s is a folder; move it away so that the artifact can be written".formatted(target));
      }
      if (!locks.containsKey(fileName)) {
        locks.put(fileName, ArtifactLock.acquire(directory, fileName, run));
      }
      // Files.createTempFile would make it readable by its owner only, and the artifact after it.
      Path temporary = Leftovers.TEMPORARY.of(directory, fileName, run);
      if (temporaryByTarget.put(target, temporary) != null) {
        Files.deleteIfExists(temporary);
      }
      return Files.createFile(temporary);
    } catch (IOException e) {
      throw new KvantException(
          "nothing can be written into %s: %s".formatted(directory, reason(e)), e);
    }
  }

  /**
   * Puts all files into place.
   *
   * @throws QuantizationCancelledException if the thread was interrupted
   * @throws KvantException if they cannot be put there, or a file that they were made from is no
   *     longer what it was
   */
  public void commit() {
    if (Thread.currentThread().isInterrupted()) {
      throw new QuantizationCancelledException(
          "writing into %s was interrupted at its end".formatted(directory));
    }
    if (source != null) {
      source.check();
    }
    try {
      for (Path temporary : temporaryByTarget.values()) {
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
          channel.force(true);
        }
      }
      Collection<Path> kept = putIntoPlace();
      finished = true;
      clearUp(kept);
    } catch (IOException e) {
      throw new KvantException(
          "the artifacts could not be put into place in %s: %s".formatted(directory, reason(e)), e);
    }
  }

  /** Moves all files over their targets, and returns what was kept of the older ones. */
  private Collection<Path> putIntoPlace() throws IOException {
    Map<Path, Path> keptByTarget = new LinkedHashMap<>();
    try {
      int rest = temporaryByTarget.size();
      for (Map.Entry<Path, Path> entry : temporaryByTarget.entrySet()) {
        rest--;
        Path target = entry.getKey();
        // What is moved last needs no way back, and no file can be moved over a folder.
        if (rest > 0 && !Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
          keptByTarget.put(target, keep(target));
        }
        move(entry.getValue(), target);
      }
    } catch (IOException e) {
      keptByTarget.values().forEach(kept -> putBack(kept, e));
      throw e;
    }
    return keptByTarget.values();
  }

  /**
   * Removes the older files and the locks. All that was to be written is in place: what cannot be
   * removed is left to the next transaction in the folder after this process.
   */
  private void clearUp(Collection<Path> kept) {
    Stream.concat(kept.stream(), locks.values().stream().map(ArtifactLock::file))
        .forEach(
            file -> {
              try {
                Files.deleteIfExists(file);
              } catch (IOException e) {
                // Whoever is told that writing failed would not look for what was written.
              }
            });
  }

  /**
   * Gives the file that is at a target a second name, or notes that there is none; either tells a
   * later process how to go back.
   */
  private Path keep(Path target) throws IOException {
    String name = target.getFileName().toString();
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      return Files.createFile(Leftovers.ABSENT.of(directory, name, run));
    }
    Path older = Leftovers.OLDER.of(directory, name, run);
    try {
      Files.createLink(older, target);
    } catch (UnsupportedOperationException | FileSystemException e) {
      // Not all file systems have links. Without them the target is missing for a moment.
      move(target, older);
    }
    return older;
  }

  private void putBack(Path kept, IOException failure) {
    try {
      Leftovers.putBack(kept, run);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  private void release() throws IOException {
    for (ArtifactLock lock : locks.values()) {
      lock.release();
    }
  }

  static void move(Path from, Path to) throws IOException {
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
      release();
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
