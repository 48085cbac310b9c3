package dev.kvant.report;

import dev.kvant.api.EvaluationGates;
import dev.kvant.api.Experimental;
import dev.kvant.runtime.evaluation.Evaluation;
import dev.kvant.runtime.evaluation.Figure;
import dev.kvant.runtime.evaluation.ModelScore;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The figures of models on the same data, all beside the same reference if there is one.
 *
 * @param data the data
 * @param evaluations one for each model, at least one
 * @since 0.1.0
 */
@Experimental
public record EvaluationResult(Path data, List<Evaluation> evaluations) {

  /**
   * A model and its figures.
   *
   * @param score the figures of the model alone
   * @param similarity the similarity of its outputs to those of the reference; null for the
   *     reference, and where there is none
   * @since 0.1.0
   */
  @Experimental
  public record Row(ModelScore score, @Nullable OutputSimilarity similarity) {

    public Row {
      Objects.requireNonNull(score, "score");
    }
  }

  /**
   * Checks that there is an evaluation.
   *
   * @throws IllegalArgumentException if there is none
   */
  public EvaluationResult {
    Objects.requireNonNull(data, "data");
    evaluations = List.copyOf(evaluations);
    if (evaluations.isEmpty()) {
      throw new IllegalArgumentException("evaluations: must not be empty");
    }
  }

  /** The first evaluation, whose data, batch size and reference all others share. */
  public Evaluation first() {
    return evaluations.get(0);
  }

  /** The reference if there is one, then the models. */
  public List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    ModelScore reference = first().reference();
    if (reference != null) {
      rows.add(new Row(reference, null));
    }
    for (Evaluation evaluation : evaluations) {
      rows.add(new Row(evaluation.model(), evaluation.similarity()));
    }
    return rows;
  }

  /** The gates that models do not pass, in words. */
  public List<String> failed(EvaluationGates gates) {
    return evaluations.stream().flatMap(each -> each.failed(gates).stream()).toList();
  }

  /**
   * Gates for programs.
   *
   * @param failed those that were not passed, in words
   */
  public static JsonDocument document(EvaluationGates gates, List<String> failed) {
    return new JsonDocument()
        .put("min_top1", gates.minTop1())
        .put("min_top5", gates.minTop5())
        .put("min_map", gates.minMap())
        .put("max_cer", gates.maxCer())
        .put("min_cosine", gates.minCosine())
        .put("passed", failed.isEmpty())
        .put("failed", failed);
  }

  /** The result for programs. */
  public JsonDocument document() {
    return new JsonDocument()
        .put("data", data)
        .put("batch_size", first().batchSize())
        .put("device", first().device())
        .put("samples", first().samples())
        .put("not_finite", first().notFinite())
        .put("models", rows().stream().map(EvaluationResult::document).toList());
  }

  private static JsonDocument document(Row row) {
    OutputSimilarity similarity = row.similarity();
    JsonDocument document =
        new JsonDocument()
            .put("path", row.score().path())
            .put("format", row.score().format())
            .put("bytes", row.score().bytes());
    for (Figure figure : Figure.values()) {
      Double value = row.score().figures().get(figure);
      document.put(figure.key(), value == null || value.isNaN() ? null : value);
    }
    return document
        .put("correct", row.score().correct())
        .put("cosine_mean", similarity == null ? null : similarity.cosineMean())
        .put("cosine_min", similarity == null ? null : similarity.cosineMin())
        .put("sqnr_db", similarity == null ? null : similarity.sqnrDecibels())
        .put(
            "identical",
            similarity == null ? null : Double.POSITIVE_INFINITY == similarity.sqnrDecibels())
        .put("not_finite", row.score().notFinite())
        .put("latency_ms", row.score().latencyMillis())
        .put("latencies_ms", row.score().latenciesMillis());
  }
}
