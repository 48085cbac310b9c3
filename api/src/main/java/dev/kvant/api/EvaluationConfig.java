package dev.kvant.api;

import jakarta.validation.Valid;
import jakarta.validation.constraints.Positive;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Data on which the model is compared before and after. A tensor named "label" holds the correct
 * answers.
 *
 * @param data the data set
 * @param batchSize how many samples run at once; null for the model's own batch size, else {@link
 *     #DEFAULT_BATCH_SIZE}
 * @param labels what the tensor named "label" holds
 * @param gates what the quantized model must reach
 * @since 0.1.0
 */
public record EvaluationConfig(
    DataConfig data,
    @Nullable @Positive Integer batchSize,
    LabelKind labels,
    @Valid EvaluationGates gates) {

  /** The batch size where neither a configuration nor the model gives one. */
  public static final int DEFAULT_BATCH_SIZE = 32;

  /**
   * Checks the components.
   *
   * @throws NullPointerException if there is no data, kind of labels or gates
   */
  public EvaluationConfig {
    Objects.requireNonNull(data, "data");
    Objects.requireNonNull(labels, "labels");
    Objects.requireNonNull(gates, "gates");
  }

  /** Data whose labels, if it has any, are classes, without gates. */
  public EvaluationConfig(DataConfig data, @Nullable Integer batchSize) {
    this(data, batchSize, LabelKind.CLASSES, EvaluationGates.NONE);
  }

  /** Whether the data must have labels. */
  public boolean needsLabels() {
    return labels != LabelKind.CLASSES || gates.needs(labels);
  }

  /** A data set that needs no settings, with that many samples at once. */
  public static EvaluationConfig of(Path path, int batchSize) {
    return new EvaluationConfig(DataConfig.of(path), batchSize);
  }
}
