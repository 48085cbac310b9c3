package dev.kvant.cli;

import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.report.EvaluationResult;
import dev.kvant.report.EvaluationResult.Row;
import dev.kvant.report.Figures;
import dev.kvant.runtime.evaluation.Evaluation;
import dev.kvant.runtime.evaluation.Figure;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Shows the figures of models on the same data. */
final class EvaluationTable {

  private final EvaluationResult result;

  EvaluationTable(EvaluationResult result) {
    this.result = result;
  }

  /** Prints a row for each model. */
  void print(Screen screen) {
    Evaluation first = result.first();
    screen.line(
        "%s of %s, %d at once on %s"
            .formatted(
                Count.of(first.samples(), "sample"),
                result.data(),
                first.batchSize(),
                first.device()));
    screen.line();
    Table table =
        Table.of(
            Column.name("model"),
            Column.number("size"),
            Column.number(Figure.TOP1.title()),
            Column.number("correct"),
            Column.number(Figure.TOP5.title()),
            Column.number(Figure.MAP.title()),
            Column.number(Figure.CER.title()),
            Column.number("cosine"),
            Column.number("min"),
            Column.number("SQNR"),
            Column.number("not finite"),
            Column.number("latency"));
    for (Row row : result.rows()) {
      Long correct = row.score().correct();
      OutputSimilarity similarity = row.similarity();
      table.row(
          row.score().path(),
          Figures.bytes(row.score().bytes()),
          figure(row, Figure.TOP1),
          correct == null ? "" : correct + "/" + first.samples(),
          figure(row, Figure.TOP5),
          figure(row, Figure.MAP),
          figure(row, Figure.CER),
          similarity == null ? "" : Figures.cosine(similarity.cosineMean()),
          similarity == null ? "" : Figures.cosine(similarity.cosineMin()),
          similarity == null ? "" : ModuleTable.decibels(screen, similarity.sqnrDecibels()),
          row.score().notFinite() == 0 ? "" : row.score().notFinite(),
          Figures.millis(row.score().latencyMillis()));
    }
    table.print(screen);
  }

  private static String figure(Row row, Figure figure) {
    Double value = row.score().figures().get(figure);
    return value == null ? "" : String.format(Locale.ROOT, "%.4f", value);
  }

  /** Warnings about figures that are invalid because data or outputs are not finite. */
  List<String> warnings() {
    long notFinite = result.first().notFinite();
    List<String> warnings = new ArrayList<>();
    if (notFinite > 0) {
      warnings.add(
          "%s has a NaN or an infinity in %s".formatted(result.data(), ofSamples(notFinite)));
    }
    for (Row row : result.rows()) {
      if (row.score().notFinite() > 0) {
        warnings.add(
            "%s gives a NaN or an infinity for %s%s"
                .formatted(
                    row.score().path(),
                    ofSamples(row.score().notFinite()),
                    notFinite > 0 ? "" : ", though the data has none"));
      }
    }
    return warnings;
  }

  private String ofSamples(long count) {
    return "%d of %s".formatted(count, Count.of(result.first().samples(), "sample"));
  }
}
