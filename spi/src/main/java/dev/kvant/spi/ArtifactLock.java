package dev.kvant.spi;

import dev.kvant.api.KvantException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A hidden file {@code .NAME.lock} that says which process writes an artifact.
 *
 * <p>Its content tells whether that process still runs. A lock of the operating system would not
 * do: within one process it is lost as soon as anybody closes the file, and on network drives it
 * may not exist.
 */
final class ArtifactLock {

  private static final Pattern NAME = Pattern.compile("\\..+\\.lock");

  /** What the name of a lock ends in. */
  static final String SUFFIX = ".lock";

  private static final String MAGIC = "kvant lock 1";
  private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");

  private static final String NAMELESS = "machine " + UUID.randomUUID();

  /** Locks of two dead processes may follow each other; more are somebody who is faster. */
  private static final int TRIALS = 3;

  /** More is no lock. */
  private static final int MOST_BYTES = 4096;

  private static final Object READING = new Object();

  private final Path file;

  private ArtifactLock(Path file) {
    this.file = file;
  }

  /**
   * Who holds a lock.
   *
   * @param run names the temporary files
   * @param pid the number of the process
   * @param started when the process started, in milliseconds since 1970, or 0 if that is not known:
   *     another process may get the number of one that ended
   * @param host the name of the machine
   * @param since when the lock was taken
   */
  record Holder(String run, long pid, long started, String host, Instant since) {

    static Holder self(String run) {
      ProcessHandle process = ProcessHandle.current();
      return new Holder(
          run,
          process.pid(),
          started(process),
          hostName(),
          Instant.now().truncatedTo(ChronoUnit.SECONDS));
    }

    private static long started(ProcessHandle process) {
      return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    private boolean isHere() {
      return host.equals(hostName());
    }

    /** Whether it is certain that the process runs no more. */
    boolean isGone() {
      return isHere()
          && ProcessHandle.of(pid)
              .filter(ProcessHandle::isAlive)
              .filter(process -> started == 0 || started == started(process))
              .isEmpty();
    }

    String text() {
      return String.join(
          "\n", MAGIC, run, String.valueOf(pid), String.valueOf(started), host, since.toString());
    }

    @Override
    public String toString() {
      return pid == ProcessHandle.current().pid() && isHere()
          ? "another run of this process, since %s".formatted(since)
          : "process %d%s, since %s".formatted(pid, isHere() ? "" : " on " + host, since);
    }
  }

  private static String hostName() {
    return hostName(HOST_NAME, System.getenv("COMPUTERNAME"));
  }

  /**
   * The name of this machine. One without a name gets one that is new in each process, so that a
   * lock of another such machine, whose processes cannot be seen from here, is never taken for one
   * of its own.
   *
   * @param file what Linux keeps it in
   * @param variable what Windows keeps it in, if it does
   */
  static String hostName(Path file, @Nullable String variable) {
    String name = variable == null ? "" : variable;
    try {
      if (Files.exists(file)) {
        name = Files.readString(file);
      }
    } catch (IOException unreadable) {
      name = "";
    }
    return name.isBlank() ? NAMELESS : name.strip();
  }

  /**
   * Takes the lock of an artifact. What a process left is removed that holds it and runs no more.
   *
   * @param run names the temporary files
   * @throws KvantException if another process or run holds it
   * @throws IOException if the folder cannot be written to
   */
  static ArtifactLock acquire(Path directory, String artifact, String run) throws IOException {
    Path file = directory.resolve("." + artifact + SUFFIX);
    String holder = "another process";
    for (int i = 0; i < TRIALS; i++) {
      try {
        take(file, Leftovers.TEMPORARY.of(directory, artifact + SUFFIX, run), Holder.self(run));
        return new ArtifactLock(file);
      } catch (FileAlreadyExistsException e) {
        Optional<Holder> found = holder(file);
        if (found.isPresent() && found.get().isGone()) {
          Leftovers.remove(directory, found.get().run());
        } else if (found.isPresent()) {
          holder = found.get().toString();
          break;
        }
      }
    }
    throw new KvantException(
        "%s is being written by %s; wait for its end or save into another folder. If it runs no more, remove %s"
            .formatted(directory.resolve(artifact), holder, file));
  }

  /** Makes the file appear with its content, since a process may be killed at any point. */
  private static void take(Path file, Path prepared, Holder holder) throws IOException {
    Files.writeString(prepared, holder.text());
    try {
      Files.createLink(file, prepared);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (UnsupportedOperationException | FileSystemException e) {
      // Not all file systems have links.
      Files.writeString(
          file, holder.text(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } finally {
      Files.deleteIfExists(prepared);
    }
  }

  /** Who holds a lock; empty if the file is none, or is gone. */
  static Optional<Holder> holder(Path file) {
    if (!NAME.matcher(file.getFileName().toString()).matches()) {
      return Optional.empty();
    }
    try {
      List<String> lines;
      synchronized (READING) {
        lines =
            Files.isRegularFile(file) && Files.size(file) <= MOST_BYTES
                ? Files.readAllLines(file)
                : List.of();
      }
      return holder(lines);
    } catch (IOException notALock) {
      return Optional.empty();
    }
  }

  private static Optional<Holder> holder(List<String> lines) {
    try {
      return lines.size() == 6 && lines.get(0).equals(MAGIC)
          ? Optional.of(
              new Holder(
                  lines.get(1),
                  Long.parseLong(lines.get(2)),
                  Long.parseLong(lines.get(3)),
                  lines.get(4),
                  Instant.parse(lines.get(5))))
          : Optional.empty();
    } catch (NumberFormatException | DateTimeParseException notALock) {
      return Optional.empty();
    }
  }

  /**
   * Removes a lock of a run that is gone. Of several processes and threads that find it, one
   * removes it: else the second would remove the lock that the first has taken in its place. While
   * it does, it holds the file's own lock of the operating system; others see afterwards that the
   * name leads to another file. No other thread may open the file meanwhile, since closing it would
   * end that lock; {@link #holder} is the only one that does.
   */
  static void removeOf(String run, Path file) throws IOException {
    synchronized (READING) {
      try {
        @Nullable Object key = key(file);
        try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
          lock(channel);
          ByteBuffer content = ByteBuffer.allocate(MOST_BYTES);
          while (channel.read(content) > 0) {
            // Until its end, or the buffer's.
          }
          List<String> lines =
              StandardCharsets.UTF_8.decode(content.flip()).toString().lines().toList();
          if (holder(lines).filter(holder -> holder.run().equals(run)).isPresent()
              && Objects.equals(key, key(file))) {
            Files.deleteIfExists(file);
          }
        }
      } catch (NoSuchFileException removedByAnother) {
        return;
      }
    }
  }

  private static @Nullable Object key(Path file) throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .fileKey();
  }

  /** Waits for another process; does nothing where the file system has no such locks. */
  private static void lock(FileChannel channel) {
    try {
      channel.lock();
    } catch (IOException | OverlappingFileLockException none) {
      return;
    }
  }

  /** Where it is. */
  Path file() {
    return file;
  }

  void release() throws IOException {
    Files.deleteIfExists(file);
  }
}
