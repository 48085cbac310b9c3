package dev.kvant.spi;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The hidden files of a transaction, which a process leaves behind that is killed: {@code
 * .NAME.RUN.tmp} and its like.
 */
enum Leftovers {
  /** What will become an artifact. */
  TEMPORARY("tmp"),
  /** An artifact that is about to be replaced. */
  OLDER("old"),
  /** Says that there was no artifact. */
  ABSENT("new");

  private static final Pattern NAME =
      Pattern.compile("\\.(?<target>.+)\\.(?<run>[0-9a-f-]{36})\\.(?<kind>tmp|old|new)");

  private final String suffix;

  Leftovers(String suffix) {
    this.suffix = suffix;
  }

  /** The file of this kind for an artifact. */
  Path of(Path directory, String artifact, String run) {
    return directory.resolve(".%s.%s.%s".formatted(artifact, run, suffix));
  }

  private boolean isKindOf(Path file) {
    return file.toString().endsWith("." + suffix);
  }

  /** Removes what processes of this machine left in a folder that run no more. */
  static void removeAllIn(Path directory) throws IOException {
    for (Path file : files(directory)) {
      Matcher name = NAME.matcher(file.getFileName().toString());
      if (name.matches() && name.group("target").endsWith(ArtifactLock.SUFFIX)) {
        // A lock that was prepared and not taken. A process that is about to can do without.
        Files.deleteIfExists(file);
      }
      Optional<ArtifactLock.Holder> holder = ArtifactLock.holder(file);
      if (holder.isPresent() && holder.get().isGone()) {
        remove(directory, holder.get().run());
      }
    }
  }

  /**
   * Removes what a run left: if it was killed before all its files were in place, the older ones
   * come back.
   */
  static void remove(Path directory, String run) throws IOException {
    List<Path> left = new ArrayList<>();
    for (Path file : files(directory)) {
      Matcher name = NAME.matcher(file.getFileName().toString());
      if (name.matches() && name.group("run").equals(run)) {
        left.add(file);
      }
    }
    boolean isComplete = left.stream().noneMatch(TEMPORARY::isKindOf);
    for (Path file : left) {
      if (!isComplete && !TEMPORARY.isKindOf(file)) {
        putBack(file, run);
      }
    }
    // Last, since they say that there is something to put back.
    for (Path file : left) {
      Files.deleteIfExists(file);
    }
    for (Path file : files(directory)) {
      ArtifactLock.removeOf(run, file);
    }
  }

  /** Puts back what was at a target before. */
  static void putBack(Path kept, String run) throws IOException {
    String name = kept.getFileName().toString();
    Path target = kept.resolveSibling(name.substring(1, name.lastIndexOf("." + run)));
    try {
      if (OLDER.isKindOf(kept)) {
        ArtifactTransaction.move(kept, target);
      } else {
        // Whoever removes the note removes the file: there may be two who clear up.
        Files.delete(kept);
        Files.deleteIfExists(target);
      }
    } catch (NoSuchFileException putBackAlready) {
      return;
    }
    // Moving a link over another of the same file leaves both.
    Files.deleteIfExists(kept);
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.getFileName().toString().startsWith(".")).sorted().toList();
    }
  }
}
