package dev.kvant.runtime.evaluation;

import dev.kvant.api.Device;
import dev.kvant.api.EvaluationGates;
import dev.kvant.api.Experimental;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The result of evaluating a model on some data, alone or beside a reference.
 *
 * @param samples how many samples there were
 * @param notFinite how many of them have a NaN or an infinity in the data itself
 * @param batchSize how many ran at once
 * @param device where they ran
 * @param model the figures of the model
 * @param reference the figures of the reference on the same data, or null if there was none
 * @param similarity the similarity of both models' outputs, or null if there was no reference
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
    @Nullable OutputSimilarity similarity) {

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
    Long correct = score.correct();
    return correct == null ? null : (double) correct / samples;
  }

  /**
   * The gates that the model does not pass, in words; a figure that is not a number, or that the
   * data gives no labels for, passes none.
   */
  public List<String> failed(EvaluationGates gates) {
    List<String> failed = new ArrayList<>();
    for (Figure figure : Figure.values()) {
      Double gate = figure.gate(gates);
      if (gate != null) {
        Double value = model.figures().get(figure);
        check(figure.title(), value, gate, figure.isBetterIfLarger(), failed);
      }
    }
    Double cosine = similarity == null ? null : Double.valueOf(similarity.cosineMean());
    Double minCosine = gates.minCosine();
    if (minCosine != null) {
      check("the mean cosine", cosine, minCosine, true, failed);
    }
    return failed;
  }

  private static void check(
      String name, @Nullable Double value, double gate, boolean isMinimum, List<String> failed) {
    if (value == null) {
      failed.add("%s is not known, for a gate of %s".formatted(name, gate));
    } else if (isMinimum ? !(value >= gate) : !(value <= gate)) {
      failed.add(
          String.format(
              Locale.ROOT,
              "%s is %.6f, %s than %s",
              name,
              value,
              isMinimum ? "less" : "more",
              gate));
    }
  }
}
