package dev.kvant.api;

import jakarta.validation.constraints.Positive;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Data on which the model is compared before and after. A tensor {@code label} holds the right
 * answers.
 *
 * @param data the data set
 * @param batchSize how many samples run at once; null for the model's own batch size, else {@link
 *     #DEFAULT_BATCH_SIZE}
 * @since 0.1.0
 */
public record EvaluationConfig(DataConfig data, @Nullable @Positive Integer batchSize) {

  /** The batch size where neither a configuration nor the model gives one. */
  public static final int DEFAULT_BATCH_SIZE = 32;

  /**
   * Checks the components.
   *
   * @throws NullPointerException if there is no data
   */
  public EvaluationConfig {
    Objects.requireNonNull(data, "data");
  }

  /** A data set that needs no settings, with that many samples at once. */
  public static EvaluationConfig of(Path path, int batchSize) {
    return new EvaluationConfig(DataConfig.of(path), batchSize);
  }
}
