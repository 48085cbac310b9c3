package dev.kvant.runtime.tuning;

import dev.kvant.api.Experimental;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a tuned artifact must keep to. Whatever is null is not limited.
 *
 * @param minCosine the lowest mean cosine similarity of outputs to those of the source, -1 to 1
 * @param maxDrop the largest loss of accuracy, see {@link Accuracy#drop()}
 * @param minRecall the lowest share of what a search in the embeddings of the source finds that one
 *     in those of the artifact finds too, 0 to 1; see {@link TuningRequest#retrieval()}
 * @param maxBytes the largest size of the artifact
 * @param minSpeedup how many times as fast as the source it is at least
 * @since 0.1.0
 */
@Experimental
public record TuningBudget(
    @Nullable Double minCosine,
    @Nullable Double maxDrop,
    @Nullable Double minRecall,
    @Nullable Long maxBytes,
    @Nullable Double minSpeedup) {

  /**
   * Checks the limits.
   *
   * @throws IllegalArgumentException if a limit is out of its range
   */
  public TuningBudget {
    if (minCosine != null && !(minCosine >= -1 && minCosine <= 1)) {
      throw new IllegalArgumentException("minCosine: must be from -1 to 1, was " + minCosine);
    }
    if (maxDrop != null && !(maxDrop >= 0)) {
      throw new IllegalArgumentException("maxDrop: must be 0 or more, was " + maxDrop);
    }
    if (minRecall != null && !(minRecall >= 0 && minRecall <= 1)) {
      throw new IllegalArgumentException("minRecall: must be from 0 to 1, was " + minRecall);
    }
    if (maxBytes != null && maxBytes < 1) {
      throw new IllegalArgumentException("maxBytes: must be at least 1, was " + maxBytes);
    }
    if (minSpeedup != null && !(minSpeedup > 0)) {
      throw new IllegalArgumentException("minSpeedup: must be more than 0, was " + minSpeedup);
    }
  }

  /** A budget for accuracy alone. */
  public static TuningBudget ofCosine(double minCosine) {
    return new TuningBudget(minCosine, null, null, null, null);
  }

  /** Whether accuracy is limited. */
  boolean limitsAccuracy() {
    return minCosine != null || maxDrop != null || minRecall != null;
  }

  /** Whether an accuracy is within the budget. A NaN never is. */
  boolean allows(Accuracy accuracy) {
    return excess(accuracy).isEmpty();
  }

  /** Whether size and speed are within the budget. */
  boolean allowsCost(TuningTrial.Measured figures) {
    return costExcess(figures).isEmpty();
  }

  /** By what an artifact misses the budget on held-out data; empty if it is within. */
  Optional<String> excess(TuningTrial.Measured figures) {
    return costExcess(figures).or(() -> excess(figures.heldOut()));
  }

  private Optional<String> costExcess(TuningTrial.Measured figures) {
    if (maxBytes != null && figures.bytes() > maxBytes) {
      return Optional.of("%d bytes, more than %d".formatted(figures.bytes(), maxBytes));
    }
    if (minSpeedup != null && !(figures.latency().speedup() >= minSpeedup)) {
      return Optional.of(
          text("%.2f times as fast, less than %s", figures.latency().speedup(), minSpeedup));
    }
    return Optional.empty();
  }

  private Optional<String> excess(Accuracy accuracy) {
    double cosine = accuracy.similarity().cosineMean();
    if (Double.isNaN(cosine)) {
      return Optional.of("an output is not finite");
    }
    if (minCosine != null && !(cosine >= minCosine)) {
      return Optional.of(text("a cosine of %.6f, less than %s", cosine, minCosine));
    }
    if (maxDrop != null && !(accuracy.drop() <= maxDrop)) {
      return Optional.of(text("a drop of %.6f, more than %s", accuracy.drop(), maxDrop));
    }
    Double recall = accuracy.recall();
    if (minRecall != null && (recall == null || !(recall >= minRecall))) {
      return Optional.of(
          text("a recall of %.4f, less than %s", recall == null ? Double.NaN : recall, minRecall));
    }
    return Optional.empty();
  }

  private static String text(String format, double value, double limit) {
    return String.format(Locale.ROOT, format, value, limit);
  }
}
