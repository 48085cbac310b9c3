package dev.kvant.runtime.provenance;

import dev.kvant.api.Internal;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What a manifest says of one run.
 *
 * @param kvant the version of Kvant that wrote the files
 * @param java the version of Java that it ran on
 * @param backend the id of the backend
 * @param mode the mode
 * @param spec the configuration as a YAML document, without the folder of the artifacts
 * @param source the model that was quantized; null if it was no file
 * @param files the files that the run wrote and no later run replaced
 * @since 0.1.0
 */
@Internal
public record RecordedRun(
    String kvant,
    String java,
    String backend,
    String mode,
    String spec,
    @Nullable Source source,
    List<File> files) {

  /**
   * The model that was quantized.
   *
   * @param path where it is, from the folder of the artifacts
   * @param format the id of its format
   * @param files all files that hold it, by their paths from the model's folder, the main one first
   */
  public record Source(String path, String format, List<FileSum> files) {

    public Source {
      files = List.copyOf(files);
    }
  }

  /**
   * A file of the artifacts.
   *
   * @param sum the file
   * @param format the id of its format
   * @param verification what came of its verification, as {@code verified}; null if it is no model
   */
  public record File(FileSum sum, String format, @Nullable String verification) {

    /** Where it is in the folder. */
    public String path() {
      return sum.path();
    }
  }

  public RecordedRun {
    files = List.copyOf(files);
  }

  /** This run with some of its files; empty if these are none. */
  Optional<RecordedRun> only(Predicate<String> wanted) {
    List<File> rest = files.stream().filter(file -> wanted.test(file.path())).toList();
    return rest.isEmpty()
        ? Optional.empty()
        : Optional.of(new RecordedRun(kvant, java, backend, mode, spec, source, rest));
  }
}
