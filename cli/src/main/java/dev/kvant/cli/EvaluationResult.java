package dev.kvant.cli;

import dev.kvant.cli.output.ByteSize;
import dev.kvant.cli.output.JsonDocument;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.runtime.evaluation.Evaluation;
import dev.kvant.runtime.evaluation.Likeness;
import dev.kvant.runtime.evaluation.ModelScore;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How models did on the same data, all beside the same reference if there is one.
 *
 * @param data the data
 * @param evaluations one for each model, at least one
 */
record EvaluationResult(Path data, List<Evaluation> evaluations) {

  /** A model with what is known of it. */
  private record Row(ModelScore score, @Nullable Double top1, @Nullable Likeness likeness) {}

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
      rows.add(new Row(model, evaluation.top1(model), evaluation.likeness()));
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
            Column.number("right"),
            Column.number("cosine"),
            Column.number("least"),
            Column.number("SQNR"),
            Column.number("not finite"),
            Column.number("latency"));
    for (Row row : rows()) {
      Long right = row.score().right();
      Likeness likeness = row.likeness();
      table.row(
          row.score().path(),
          ByteSize.format(row.score().bytes()),
          row.top1() == null ? "" : String.format(Locale.ROOT, "%.4f", row.top1()),
          right == null ? "" : right + "/" + first().samples(),
          likeness == null ? "" : cosine(likeness.cosineMean()),
          likeness == null ? "" : cosine(likeness.cosineMin()),
          likeness == null ? "" : ModuleTable.decibels(screen, likeness.sqnrDecibels()),
          row.score().notFinite() == 0 ? "" : row.score().notFinite(),
          String.format(Locale.ROOT, "%.2f ms", row.score().latencyMillis()));
    }
    table.print(screen);
  }

  /** What makes figures of no use: data or outputs that are no numbers. */
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

  /** Six digits, of which rounding must not make a perfect likeness that is none. */
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
    Likeness likeness = row.likeness();
    return new JsonDocument()
        .put("path", row.score().path())
        .put("format", row.score().format())
        .put("bytes", row.score().bytes())
        .put("top1", row.top1())
        .put("right", row.score().right())
        .put("cosine_mean", likeness == null ? null : likeness.cosineMean())
        .put("cosine_min", likeness == null ? null : likeness.cosineMin())
        .put("sqnr_db", likeness == null ? null : likeness.sqnrDecibels())
        .put(
            "identical",
            likeness == null ? null : Double.POSITIVE_INFINITY == likeness.sqnrDecibels())
        .put("not_finite", row.score().notFinite())
        .put("latency_ms", row.score().latencyMillis());
  }
}
