package dev.kvant.runtime.tuning;

import dev.kvant.api.Experimental;
import dev.kvant.api.RecipeRequest;
import dev.kvant.runtime.evaluation.RetrievalRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a search for the best configuration works with. Made by {@link #builder}.
 *
 * @param recipes what every configuration must meet, and the data
 * @param budget what the artifact must keep to
 * @param retrieval how outputs become embeddings that are searched in; null if they are not
 *     compared by that
 * @param preference what is best within the budget
 * @param time how long the search may take, or null for as long as it needs; a trial that has begun
 *     is completed
 * @param samples how many samples of the data are used at most
 * @param output the folder for the best artifact, or null to write none
 * @param onTrial told of each trial, on the thread that searches
 * @param onFound told of the result once the search is over and before the best artifact is
 *     written, so that it can be kept whatever happens then; if it throws, no artifact is written
 * @since 0.1.0
 */
@Experimental
public record TuningRequest(
    RecipeRequest recipes,
    TuningBudget budget,
    @Nullable RetrievalRequest retrieval,
    Preference preference,
    @Nullable Duration time,
    int samples,
    @Nullable Path output,
    Consumer<TuningTrial> onTrial,
    Consumer<TuningResult> onFound) {

  /** The number of samples where none is given. */
  public static final int DEFAULT_SAMPLES = 128;

  /**
   * The least number of samples: half of them calibrate, a quarter guides the search, a quarter is
   * held out.
   */
  public static final int FEWEST_SAMPLES = 8;

  /**
   * What is best within a budget.
   *
   * @since 0.1.0
   */
  @Experimental
  public enum Preference {
    /** The smallest artifact; of those at most 2 % larger, the most accurate. */
    SIZE,
    /** The fastest artifact; of those at most 5 % slower, the most accurate. */
    SPEED,
    /** The most accurate artifact. */
    ACCURACY
  }

  /**
   * Checks the components.
   *
   * @throws IllegalArgumentException if there is no data, there are too few samples, no time, or
   *     recall is limited and no embeddings are compared
   */
  public TuningRequest {
    Objects.requireNonNull(budget, "budget");
    Objects.requireNonNull(preference, "preference");
    Objects.requireNonNull(onTrial, "onTrial");
    Objects.requireNonNull(onFound, "onFound");
    if (!recipes.hasData()) {
      throw new IllegalArgumentException("recipes: must name data to calibrate and compare on");
    }
    if (budget.minRecall() != null && retrieval == null) {
      throw new IllegalArgumentException(
          "retrieval: must say how outputs become embeddings where recall is limited");
    }
    if (samples < FEWEST_SAMPLES) {
      throw new IllegalArgumentException(
          "samples: must be at least %d, was %d".formatted(FEWEST_SAMPLES, samples));
    }
    if (time != null && (time.isNegative() || time.isZero())) {
      throw new IllegalArgumentException("time: must be more than 0, was " + time);
    }
  }

  /** A builder for a search among what meets a request that names data. */
  public static Builder builder(RecipeRequest recipes) {
    return new Builder(recipes);
  }

  /**
   * Collects what a search works with.
   *
   * @since 0.1.0
   */
  @Experimental
  public static final class Builder {

    private final RecipeRequest recipes;
    private TuningBudget budget = new TuningBudget(null, null, null, null, null);
    private @Nullable RetrievalRequest retrieval;
    private @Nullable Preference preference;
    private @Nullable Duration time;
    private int samples = DEFAULT_SAMPLES;
    private @Nullable Path output;
    private Consumer<TuningTrial> onTrial = trial -> {};
    private Consumer<TuningResult> onFound = result -> {};

    private Builder(RecipeRequest recipes) {
      this.recipes = Objects.requireNonNull(recipes, "recipes");
    }

    /** Sets what the artifact must keep to; nothing by default. */
    public Builder budget(TuningBudget budget) {
      this.budget = Objects.requireNonNull(budget, "budget");
      return this;
    }

    /** Compares what a search in embeddings finds; by default outputs are not searched in. */
    public Builder retrieval(@Nullable RetrievalRequest retrieval) {
      this.retrieval = retrieval;
      return this;
    }

    /**
     * Sets what is best within the budget. By default the size if the budget limits accuracy, else
     * accuracy.
     */
    public Builder preference(@Nullable Preference preference) {
      this.preference = preference;
      return this;
    }

    /** Limits the time. */
    public Builder time(@Nullable Duration time) {
      this.time = time;
      return this;
    }

    /** Sets how many samples are used at most. */
    public Builder samples(int samples) {
      this.samples = samples;
      return this;
    }

    /** Sets the folder for the best artifact. */
    public Builder output(@Nullable Path output) {
      this.output = output;
      return this;
    }

    /** Sets who is told of each trial. */
    public Builder onTrial(Consumer<TuningTrial> onTrial) {
      this.onTrial = Objects.requireNonNull(onTrial, "onTrial");
      return this;
    }

    /** Sets who is told of the result before the best artifact is written. */
    public Builder onFound(Consumer<TuningResult> onFound) {
      this.onFound = Objects.requireNonNull(onFound, "onFound");
      return this;
    }

    /**
     * The request.
     *
     * @throws IllegalArgumentException if there is no data, there are too few samples, no time, or
     *     recall is limited and no embeddings are compared
     */
    public TuningRequest build() {
      Preference chosen =
          Objects.requireNonNullElse(
              preference, budget.limitsAccuracy() ? Preference.SIZE : Preference.ACCURACY);
      return new TuningRequest(
          recipes, budget, retrieval, chosen, time, samples, output, onTrial, onFound);
    }
  }
}
