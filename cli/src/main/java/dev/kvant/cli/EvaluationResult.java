package dev.kvant.cli;

import dev.kvant.cli.output.ByteSize;
import dev.kvant.cli.output.JsonDocument;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.runtime.evaluation.Evaluation;
import dev.kvant.runtime.evaluation.ModelScore;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The figures of models on the same data, all beside the same reference if there is one.
 *
 * @param data the data
 * @param evaluations one for each model, at least one
 */
record EvaluationResult(Path data, List<Evaluation> evaluations) {

  /** A model and its figures. */
  private record Row(
      ModelScore score, @Nullable Double top1, @Nullable OutputSimilarity similarity) {}

  EvaluationResult {
    evaluations = List.copyOf(evaluations);
  }

  private Evaluation first() {
    return evaluations.get(0);
  }

  /** The reference, then the models. */
  private List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    ModelScore reference = first().reference();
    if (reference != null) {
      rows.add(new Row(reference, first().top1(reference), null));
    }
    for (Evaluation evaluation : evaluations) {
      ModelScore model = evaluation.model();
      rows.add(new Row(model, evaluation.top1(model), evaluation.similarity()));
    }
    return rows;
  }

  /** Prints a row for each model. */
  void print(Screen screen) {
    screen.line(
        "%s of %s, %d at once on %s"
            .formatted(
                Count.of(first().samples(), "sample"),
                data,
                first().batchSize(),
                first().device()));
    screen.line();
    Table table =
        Table.of(
            Column.name("model"),
            Column.number("size"),
            Column.number("top-1"),
            Column.number("correct"),
            Column.number("cosine"),
            Column.number("min"),
            Column.number("SQNR"),
            Column.number("not finite"),
            Column.number("latency"));
    for (Row row : rows()) {
      Long correct = row.score().correct();
      OutputSimilarity similarity = row.similarity();
      table.row(
          row.score().path(),
          ByteSize.format(row.score().bytes()),
          row.top1() == null ? "" : String.format(Locale.ROOT, "%.4f", row.top1()),
          correct == null ? "" : correct + "/" + first().samples(),
          similarity == null ? "" : cosine(similarity.cosineMean()),
          similarity == null ? "" : cosine(similarity.cosineMin()),
          similarity == null ? "" : ModuleTable.decibels(screen, similarity.sqnrDecibels()),
          row.score().notFinite() == 0 ? "" : row.score().notFinite(),
          String.format(Locale.ROOT, "%.2f ms", row.score().latencyMillis()));
    }
    table.print(screen);
  }

  /** Warnings about figures that are invalid because data or outputs are not finite. */
  List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    if (first().notFinite() > 0) {
      warnings.add(
          "%s has a NaN or an infinity in %s".formatted(data, ofSamples(first().notFinite())));
    }
    for (Row row : rows()) {
      if (row.score().notFinite() > 0) {
        warnings.add(
            "%s gives a NaN or an infinity for %s%s"
                .formatted(
                    row.score().path(),
                    ofSamples(row.score().notFinite()),
                    first().notFinite() > 0 ? "" : ", though the data has none"));
      }
    }
    return warnings;
  }

  private String ofSamples(long count) {
    return "%d of %s".formatted(count, Count.of(first().samples(), "sample"));
  }

  /** Six digits; only equal outputs may round to 1. */
  private static String cosine(double cosine) {
    double shown = cosine < 1 - 1e-12 ? Math.min(cosine, 0.999999) : cosine;
    return String.format(Locale.ROOT, "%.6f", shown);
  }

  /** The result for programs. */
  JsonDocument document() {
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
    return new JsonDocument()
        .put("path", row.score().path())
        .put("format", row.score().format())
        .put("bytes", row.score().bytes())
        .put("top1", row.top1())
        .put("correct", row.score().correct())
        .put("cosine_mean", similarity == null ? null : similarity.cosineMean())
        .put("cosine_min", similarity == null ? null : similarity.cosineMin())
        .put("sqnr_db", similarity == null ? null : similarity.sqnrDecibels())
        .put(
            "identical",
            similarity == null ? null : Double.POSITIVE_INFINITY == similarity.sqnrDecibels())
        .put("not_finite", row.score().notFinite())
        .put("latency_ms", row.score().latencyMillis());
  }
}
