package dev.kvant.runtime.tuning;

import dev.kvant.api.Experimental;
import dev.kvant.api.Recipe;
import dev.kvant.api.SavedModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a search for the best configuration found.
 *
 * @param model the model file
 * @param bytes its size
 * @param samples how many samples calibrated, guided the search, and were held out
 * @param trials all that was tried, in order
 * @param frontier of these, each that no other one beats: none is at least as small, as fast and as
 *     accurate on the samples of the search, and better in one of them
 * @param best the best trial within the budget on the samples of the search and on held-out ones;
 *     null if there is none
 * @param nearest the most accurate trial of those within the budget's size and speed, or of all;
 *     null if every trial failed
 * @param miss by what {@code nearest} misses the budget; null if it is within
 * @param recipe the configuration of {@code best}, with comments that say what each choice brought;
 *     that of {@code nearest} if there is no best one; null if there is none
 * @param saved the best artifact; null if none was written, or not yet
 * @param failure why the best artifact could not be written or verified; null if it was, or if
 *     there is none
 * @param complete whether all was tried that the search tries: false if an interrupt or the time
 *     ended it, or if the sensitivity of a configuration's groups could not be measured, so that
 *     none of them was left native; what was tried is valid all the same
 * @since 0.1.0
 */
@Experimental
public record TuningResult(
    Path model,
    long bytes,
    Samples samples,
    List<TuningTrial> trials,
    List<TuningTrial> frontier,
    @Nullable TuningTrial best,
    @Nullable TuningTrial nearest,
    @Nullable String miss,
    @Nullable Recipe recipe,
    @Nullable SavedModel saved,
    @Nullable RuntimeException failure,
    boolean complete) {

  /** The file of statistics beside the best artifact, if it is calibrated. */
  public static final String STATISTICS = "calibration.statistics";

  /**
   * How the samples were divided.
   *
   * @param calibration how many calibrated
   * @param search how many guided the search
   * @param heldOut how many decided about the budget alone
   * @since 0.1.0
   */
  @Experimental
  public record Samples(int calibration, int search, int heldOut) {}

  /** Checks and copies the components. */
  public TuningResult {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(samples, "samples");
    trials = List.copyOf(trials);
    frontier = List.copyOf(frontier);
  }

  /** This result with what became of the best artifact. */
  TuningResult with(@Nullable SavedModel saved, @Nullable RuntimeException failure) {
    return new TuningResult(
        model, bytes, samples, trials, frontier, best, nearest, miss, recipe, saved, failure,
        complete);
  }
}
