package dev.kvant.api;

import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.DecimalMin;
import org.jspecify.annotations.Nullable;

/**
 * What an evaluated model must reach; null where nothing is asked for.
 *
 * @param minTop1 the least share of samples whose class has the largest output, 0 to 1
 * @param minTop5 the least share of samples whose class is among the five largest outputs, 0 to 1
 * @param minMap the least mean average precision, 0 to 1
 * @param maxCer the greatest character error rate, 0 or more
 * @param minCosine the least mean cosine similarity to the reference, -1 to 1
 * @since 0.1.0
 */
public record EvaluationGates(
    @Nullable @DecimalMin(value = "0", message = LEAST_0) @DecimalMax(value = "1", message = MOST_1)
        Double minTop1,
    @Nullable @DecimalMin(value = "0", message = LEAST_0) @DecimalMax(value = "1", message = MOST_1)
        Double minTop5,
    @Nullable @DecimalMin(value = "0", message = LEAST_0) @DecimalMax(value = "1", message = MOST_1)
        Double minMap,
    @Nullable @DecimalMin(value = "0", message = LEAST_0) Double maxCer,
    @Nullable
        @DecimalMin(value = "-1", message = "must be at least -1")
        @DecimalMax(value = "1", message = MOST_1)
        Double minCosine) {

  private static final String LEAST_0 = "must be at least 0";
  private static final String MOST_1 = "must be at most 1";

  /** No gates. */
  public static final EvaluationGates NONE = new EvaluationGates(null, null, null, null, null);

  /** The same gates with another one for top-1. */
  public EvaluationGates withMinTop1(@Nullable Double share) {
    return new EvaluationGates(share, minTop5, minMap, maxCer, minCosine);
  }

  /** The same gates with another one for top-5. */
  public EvaluationGates withMinTop5(@Nullable Double share) {
    return new EvaluationGates(minTop1, share, minMap, maxCer, minCosine);
  }

  /** The same gates with another one for the mean average precision. */
  public EvaluationGates withMinMap(@Nullable Double precision) {
    return new EvaluationGates(minTop1, minTop5, precision, maxCer, minCosine);
  }

  /** The same gates with another one for the character error rate. */
  public EvaluationGates withMaxCer(@Nullable Double rate) {
    return new EvaluationGates(minTop1, minTop5, minMap, rate, minCosine);
  }

  /** The same gates with another one for the mean cosine similarity. */
  public EvaluationGates withMinCosine(@Nullable Double cosine) {
    return new EvaluationGates(minTop1, minTop5, minMap, maxCer, cosine);
  }

  /** Whether there is a gate on a figure that needs labels of that kind. */
  public boolean needs(LabelKind labels) {
    return switch (labels) {
      case CLASSES -> minTop1 != null || minTop5 != null;
      case BOXES -> minMap != null;
      case TEXT -> maxCer != null;
    };
  }
}
