package dev.kvant.api;

import jakarta.validation.constraints.Positive;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Data on which the model is compared before and after.
 *
 * @param path an {@code .npz} file whose arrays are named as the model's inputs, {@code label}
 *     reserved for the right answers
 * @param batchSize how many samples run at once
 * @since 0.1.0
 */
public record EvaluationConfig(Path path, @Positive int batchSize) {

  /** The batch size where a configuration gives none. */
  public static final int DEFAULT_BATCH_SIZE = 32;

  public EvaluationConfig {
    Objects.requireNonNull(path, "path");
  }
}
