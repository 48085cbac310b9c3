package dev.kvant.spi;

import dev.kvant.api.KvantException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

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

  /** Locks of two dead processes may follow each other; more are somebody who is faster. */
  private static final int TRIALS = 3;

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
    try {
      return Files.exists(HOST_NAME)
          ? Files.readString(HOST_NAME).strip()
          : String.valueOf(System.getenv("COMPUTERNAME"));
    } catch (IOException e) {
      return "";
    }
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
      List<String> lines = Files.isRegularFile(file) ? Files.readAllLines(file) : List.of();
      return lines.size() == 6 && lines.get(0).equals(MAGIC)
          ? Optional.of(
              new Holder(
                  lines.get(1),
                  Long.parseLong(lines.get(2)),
                  Long.parseLong(lines.get(3)),
                  lines.get(4),
                  Instant.parse(lines.get(5))))
          : Optional.empty();
    } catch (IOException | RuntimeException notALock) {
      return Optional.empty();
    }
  }

  void release() throws IOException {
    Files.deleteIfExists(file);
  }
}
