package dev.kvant.cli;

import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.report.Figures;
import dev.kvant.report.JsonDocument;
import dev.kvant.runtime.evaluation.PairedLatency;
import dev.kvant.runtime.tuning.Accuracy;
import dev.kvant.runtime.tuning.TuningResult;
import dev.kvant.runtime.tuning.TuningTrial;
import dev.kvant.runtime.tuning.TuningTrial.Measured;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All configurations that were tried.
 *
 * @param result what the search found
 */
record TuningTable(TuningResult result) {

  /** Prints a row for each trial, those of the frontier marked. */
  void print(Screen screen) {
    screen.line(
        "%s, %s: %s; samples: %d calibrate, %d guide the search, %d are held out%s"
            .formatted(
                result.model(),
                Figures.bytes(result.bytes()),
                Count.of(result.trials().size(), "trial"),
                result.samples().calibration(),
                result.samples().search(),
                result.samples().heldOut(),
                result.complete() ? "" : "; the search was not completed"));
    screen.line();
    Table table =
        Table.of(
            Column.text(""),
            Column.prose("configuration"),
            Column.number("size"),
            Column.number("speed"),
            Column.text("95 %"),
            Column.number("cosine"),
            Column.number("held out"),
            Column.number("min"),
            Column.number("drop"),
            Column.number("recall"),
            Column.prose("failure"));
    Set<TuningTrial> frontier = Set.copyOf(result.frontier());
    for (TuningTrial trial : result.trials()) {
      Measured figures = trial.figures();
      String mark =
          trial.equals(result.best())
              ? "best"
              : frontier.contains(trial) ? screen.symbol("•", "*") : "";
      if (figures == null) {
        table.row(
            mark,
            trial.name(),
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            Objects.requireNonNullElse(trial.failure(), ""));
        continue;
      }
      PairedLatency latency = figures.latency();
      Double top1 = figures.heldOut().top1();
      Double recall = figures.heldOut().recall();
      table.row(
          mark,
          trial.name(),
          Figures.bytes(figures.bytes()),
          number("%.2fx", latency.speedup()),
          number("%.2f", latency.low()) + screen.symbol("–", "-") + number("%.2f", latency.high()),
          Figures.cosine(figures.search().similarity().cosineMean()),
          Figures.cosine(figures.heldOut().similarity().cosineMean()),
          Figures.cosine(figures.heldOut().similarity().cosineMin()),
          top1 == null ? "" : number("%.4f", figures.heldOut().drop()),
          recall == null ? "" : number("%.4f", recall),
          "");
    }
    table.print(screen);
    screen.line();
    screen.line(
        "%s: no other configuration is at least as small, fast and accurate on the samples of the search"
            .formatted(screen.symbol("•", "*")));
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  /** The result for programs. */
  JsonDocument document() {
    return new JsonDocument()
        .put(TuningFile.WRITTEN_BY, TuningFile.WRITER)
        .put("model", result.model())
        .put("bytes", result.bytes())
        .put(
            "samples",
            new JsonDocument()
                .put("calibration", result.samples().calibration())
                .put("search", result.samples().search())
                .put("held_out", result.samples().heldOut()))
        .put("complete", result.complete())
        .put("best", name(result.best()))
        .put("nearest", name(result.nearest()))
        .put("miss", result.miss())
        .put("trials", result.trials().stream().map(this::document).toList());
  }

  private static @Nullable String name(@Nullable TuningTrial trial) {
    return trial == null ? null : trial.name();
  }

  private JsonDocument document(TuningTrial trial) {
    Measured figures = trial.figures();
    return new JsonDocument()
        .put("name", trial.name())
        .put("frontier", result.frontier().contains(trial))
        .put("best", trial.equals(result.best()))
        .put("skip_names", trial.recipe().config().skipNames())
        .put("bytes", figures == null ? null : figures.bytes())
        .put("search", figures == null ? null : document(figures.search()))
        .put("held_out", figures == null ? null : document(figures.heldOut()))
        .put("latency", figures == null ? null : document(figures.latency()))
        .put("failure", trial.failure());
  }

  private static JsonDocument document(Accuracy accuracy) {
    return new JsonDocument()
        .put("cosine_mean", accuracy.similarity().cosineMean())
        .put("cosine_min", accuracy.similarity().cosineMin())
        .put("sqnr_db", accuracy.similarity().sqnrDecibels())
        .put("top1", accuracy.top1())
        .put("drop", accuracy.drop())
        .put("recall", accuracy.recall());
  }

  private static JsonDocument document(PairedLatency latency) {
    return new JsonDocument()
        .put("source_ms", latency.referenceMillis())
        .put("model_ms", latency.modelMillis())
        .put("speedup", latency.speedup())
        .put("low", latency.low())
        .put("high", latency.high())
        .put("pairs", latency.pairs());
  }
}
