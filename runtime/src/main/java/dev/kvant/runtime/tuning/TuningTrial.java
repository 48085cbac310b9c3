package dev.kvant.runtime.tuning;

import dev.kvant.api.Experimental;
import dev.kvant.api.Recipe;
import dev.kvant.runtime.evaluation.PairedLatency;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A configuration that was tried.
 *
 * @param name what distinguishes it, as in {@code static_ptq int8 mse smooth=0.8}
 * @param recipe the configuration, with its reasons
 * @param figures what was measured; null if the artifact could not be written or run
 * @param failure why it could not, or null
 * @since 0.1.0
 */
@Experimental
public record TuningTrial(
    String name, Recipe recipe, @Nullable Measured figures, @Nullable String failure) {

  /**
   * What was measured of an artifact.
   *
   * @param bytes the size of the artifact, with the files beside it
   * @param search how good it is on the samples that the search looks at
   * @param heldOut how good it is on samples that decide about the budget alone
   * @param latency its time beside the source
   * @since 0.1.0
   */
  @Experimental
  public record Measured(long bytes, Accuracy search, Accuracy heldOut, PairedLatency latency) {

    /** Checks the components. */
    public Measured {
      Objects.requireNonNull(search, "search");
      Objects.requireNonNull(heldOut, "heldOut");
      Objects.requireNonNull(latency, "latency");
    }
  }

  /** Checks the components. */
  public TuningTrial {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(recipe, "recipe");
  }
}
