package dev.kvant.runtime.evaluation;

import dev.kvant.api.Device;
import dev.kvant.api.Experimental;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a model did on some data, alone or beside a reference.
 *
 * @param samples how many samples there were
 * @param notFinite how many of them have a NaN or an infinity in the data itself
 * @param batchSize how many ran at once
 * @param device where they ran
 * @param model how the model did
 * @param reference how the reference did on the same data, or null if there was none
 * @param likeness how alike the outputs of both are, or null if there was no reference
 * @since 0.1.0
 */
@Experimental
public record Evaluation(
    long samples,
    long notFinite,
    int batchSize,
    Device device,
    ModelScore model,
    @Nullable ModelScore reference,
    @Nullable Likeness likeness) {

  public Evaluation {
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(model, "model");
  }

  /**
   * The share of samples that a model of this evaluation classified as labelled, 0 to 1; null when
   * the data has no labels.
   *
   * @param score {@link #model()} or {@link #reference()}
   */
  public @Nullable Double top1(ModelScore score) {
    Long right = score.right();
    return right == null ? null : (double) right / samples;
  }
}
