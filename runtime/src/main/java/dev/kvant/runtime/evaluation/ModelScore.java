package dev.kvant.runtime.evaluation;

import dev.kvant.api.Experimental;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How one model did.
 *
 * @param path the model file
 * @param format the id of its format
 * @param bytes its size on disk; of a folder, that of all files in it
 * @param right how many samples it classified as labelled, or null when the data has no labels
 * @param notFinite how many samples it gave a NaN or an infinity for, so that they say nothing
 * @param latencyMillis the median time that it took for a whole batch, in milliseconds
 * @since 0.1.0
 */
@Experimental
public record ModelScore(
    Path path,
    String format,
    long bytes,
    @Nullable Long right,
    long notFinite,
    double latencyMillis) {

  public ModelScore {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(format, "format");
  }
}
