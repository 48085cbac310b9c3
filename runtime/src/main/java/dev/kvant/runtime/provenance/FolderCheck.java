package dev.kvant.runtime.provenance;

import dev.kvant.api.Internal;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Whether a folder of artifacts is still what its {@link ArtifactManifest} says.
 *
 * @param folder the folder
 * @param runs what was recorded, the oldest first
 * @param files all files of the folder, those of the manifest first
 * @param sources what was compared of the source of each run
 * @since 0.1.0
 */
@Internal
public record FolderCheck(
    Path folder, List<RecordedRun> runs, List<CheckedFile> files, List<CheckedFile> sources) {

  /** What a check finds. */
  public enum Result {
    /** Size and SHA-256 are those of the manifest. */
    UNCHANGED,
    /** Another size or SHA-256. */
    CHANGED,
    /** In the manifest, and not there. */
    MISSING,
    /** There, and not in the manifest. */
    NOT_RECORDED,
    /** Written by Kvant beside the artifacts, as a report; not in the manifest. */
    BESIDE,
    /** The source of a model, which is not there. */
    NOT_CHECKED
  }

  /**
   * A file that was checked.
   *
   * @param path where it is, from the folder
   * @param result what was found
   * @param detail what differs; null if nothing does
   */
  public record CheckedFile(String path, Result result, @Nullable String detail) {}

  public FolderCheck {
    runs = List.copyOf(runs);
    files = List.copyOf(files);
    sources = List.copyOf(sources);
  }

  /**
   * Checks a folder.
   *
   * @param folder the folder of the artifacts
   * @param model the source to compare; null for the ones that the manifest names, if they are
   *     there
   * @param isBeside which files Kvant wrote beside artifacts
   * @throws KvantException if the folder has no manifest that can be read
   */
  public static FolderCheck of(Path folder, @Nullable Path model, Predicate<Path> isBeside) {
    if (!Files.isDirectory(folder)) {
      throw new KvantException(
          Files.exists(folder)
              ? "%s is a file; give the folder of the artifacts".formatted(folder)
              : "the folder %s does not exist".formatted(folder));
    }
    if (!Files.exists(folder.resolve(ArtifactManifest.NAME), LinkOption.NOFOLLOW_LINKS)) {
      throw new KvantException(
          "%s has no %s, which 'kvant quantize' writes beside artifacts: nothing says what they should be"
              .formatted(folder, ArtifactManifest.NAME));
    }
    List<RecordedRun> runs = ArtifactManifest.read(folder);
    List<CheckedFile> files = new ArrayList<>();
    Set<Path> known = new HashSet<>();
    known.add(absolute(folder.resolve(ArtifactManifest.NAME)));
    for (RecordedRun run : runs) {
      for (RecordedRun.File file : run.files()) {
        Path path = folder.resolve(file.path());
        if (known.add(absolute(path))) {
          files.add(compare(file.path(), path, file.sum()));
        }
      }
    }
    List<CheckedFile> sources = new ArrayList<>();
    for (RecordedRun run : runs) {
      if (run.source() != null) {
        sources.addAll(source(folder, run.source(), model, known));
      }
    }
    for (Path other : others(folder, known)) {
      boolean beside = isBeside.test(other);
      files.add(
          new CheckedFile(
              FileSum.name(folder, other),
              beside ? Result.BESIDE : Result.NOT_RECORDED,
              beside ? null : "the manifest does not name it"));
    }
    return new FolderCheck(folder, runs, files, sources);
  }

  private static List<CheckedFile> source(
      Path folder, RecordedRun.Source source, @Nullable Path given, Set<Path> known) {
    Path model = given == null ? folder.resolve(source.path()) : given;
    if (given == null && !Files.exists(model)) {
      return List.of(
          new CheckedFile(
              source.path(), Result.NOT_CHECKED, "it is not there; name it with --model"));
    }
    Path home = ArtifactManifest.home(model);
    List<CheckedFile> checked = new ArrayList<>();
    for (int i = 0; i < source.files().size(); i++) {
      FileSum sum = source.files().get(i);
      Path file = i == 0 && !Files.isDirectory(model) ? model : home.resolve(sum.path());
      checked.add(compare(FileSum.name(folder, file), file, sum));
      known.add(absolute(file));
    }
    return checked;
  }

  private static List<Path> others(Path folder, Set<Path> known) {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(path -> !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
          .filter(path -> !known.contains(absolute(path)))
          .sorted()
          .toList();
    } catch (IOException | UncheckedIOException e) {
      throw new KvantException("%s cannot be read: %s".formatted(folder, e.getMessage()), e);
    }
  }

  private static Path absolute(Path path) {
    return path.toAbsolutePath().normalize();
  }

  private static CheckedFile compare(String name, Path file, FileSum expected) {
    try {
      RegularFile.check(file);
      long bytes = Files.size(file);
      if (bytes != expected.bytes()) {
        return new CheckedFile(
            name, Result.CHANGED, "it has %d bytes, not %d".formatted(bytes, expected.bytes()));
      }
      return FileSum.of(file, file).sha256().equals(expected.sha256())
          ? new CheckedFile(name, Result.UNCHANGED, null)
          : new CheckedFile(name, Result.CHANGED, "its SHA-256 is another one");
    } catch (NoSuchFileException e) {
      return new CheckedFile(name, Result.MISSING, "it is not there");
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (IOException | KvantException e) {
      return new CheckedFile(name, Result.CHANGED, e.getMessage());
    }
  }

  /**
   * What is not as it was written.
   *
   * @param othersAllowed whether files that the manifest does not name may be there
   */
  public List<CheckedFile> differences(boolean othersAllowed) {
    return Stream.concat(files.stream(), sources.stream())
        .filter(
            file ->
                switch (file.result()) {
                  case CHANGED, MISSING -> true;
                  case NOT_RECORDED -> !othersAllowed;
                  case UNCHANGED, BESIDE, NOT_CHECKED -> false;
                })
        .toList();
  }
}
