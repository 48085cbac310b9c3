package dev.kvant.runtime.tuning;

import dev.kvant.api.Experimental;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which modules of a model suffer from quantization.
 *
 * @param model the model file
 * @param backend the id of the backend
 * @param mode the mode, as a spec spells it
 * @param samples on how many samples the outputs were compared
 * @param all the similarity with all modules of the plan quantized; null if the analysis was
 *     interrupted before
 * @param groups the groups that were analyzed, the most sensitive first: by the noise that each
 *     adds if it is quantized alone
 * @param total how many groups the plan quantizes; more than those of {@code groups} if the
 *     analysis was interrupted
 * @since 0.1.0
 */
@Experimental
public record SensitivityReport(
    Path model,
    String backend,
    String mode,
    int samples,
    @Nullable OutputSimilarity all,
    List<GroupSensitivity> groups,
    int total) {

  /** Sorts the groups; a NaN is the worst of all noise. */
  public SensitivityReport {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(backend, "backend");
    Objects.requireNonNull(mode, "mode");
    groups =
        groups.stream()
            .sorted(Comparator.comparingDouble(GroupSensitivity::noise).reversed())
            .toList();
  }

  /** Whether all groups were analyzed. */
  public boolean isComplete() {
    return all != null && groups.size() == total;
  }

  /** The power of the noise over the power of the signal, from decibels. */
  static double noise(OutputSimilarity similarity) {
    return Math.pow(10, -similarity.sqnrDecibels() / 10);
  }
}
