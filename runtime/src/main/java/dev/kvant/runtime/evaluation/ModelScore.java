package dev.kvant.runtime.evaluation;

import dev.kvant.api.Experimental;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The figures of one model.
 *
 * @param path the model file
 * @param format the id of its format
 * @param bytes its size on disk; of a folder, that of all files in it
 * @param correct the number of samples that it classified as labelled, or null without labels that
 *     are classes
 * @param figures how well its outputs fit the labels; empty without labels
 * @param notFinite the number of samples whose outputs contain a NaN or an infinity
 * @param latencyMillis the median time for one batch, in milliseconds
 * @param latenciesMillis the times of the batches in milliseconds, in ascending order; of more than
 *     200 batches, 200 of them at even distances in that order, the first and the last included
 * @since 0.1.0
 */
@Experimental
public record ModelScore(
    Path path,
    String format,
    long bytes,
    @Nullable Long correct,
    Map<Figure, Double> figures,
    long notFinite,
    double latencyMillis,
    List<Double> latenciesMillis) {

  public ModelScore {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(format, "format");
    latenciesMillis = List.copyOf(latenciesMillis);
    figures = Map.copyOf(figures);
  }
}
