package dev.kvant.cli;

import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.report.Figures;
import dev.kvant.report.JsonDocument;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import dev.kvant.runtime.tuning.GroupSensitivity;
import dev.kvant.runtime.tuning.SensitivityReport;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What each group of modules costs, the most sensitive first.
 *
 * @param report the figures
 */
record SensitivityTable(SensitivityReport report) {

  /** Prints a row for each group. */
  void print(Screen screen) {
    OutputSimilarity all = report.all();
    screen.line(
        "%s: backend %s, mode %s, %s%s"
            .formatted(
                report.model(),
                report.backend(),
                report.mode(),
                Count.of(report.samples(), "sample"),
                all == null
                    ? ""
                    : "; all quantized: cosine %s, SQNR %s"
                        .formatted(
                            Figures.cosine(all.cosineMean()),
                            ModuleTable.decibels(screen, all.sqnrDecibels()))));
    screen.line();
    Table table =
        Table.of(
            Column.number("rank"),
            Column.name("modules"),
            Column.name("class"),
            Column.number("before"),
            Column.number("after"),
            Column.number("alone: SQNR"),
            Column.number("cosine"),
            Column.number("all but it: SQNR"),
            Column.number("cosine"));
    int rank = 0;
    for (GroupSensitivity group : report.groups()) {
      table.row(
          ++rank,
          String.join(", ", group.modules()),
          group.type(),
          Figures.bytes(group.bytesBefore()),
          Figures.bytes(group.bytesAfter()),
          ModuleTable.decibels(screen, group.alone().sqnrDecibels()),
          Figures.cosine(group.alone().cosineMean()),
          ModuleTable.decibels(screen, group.others().sqnrDecibels()),
          Figures.cosine(group.others().cosineMean()));
    }
    table.print(screen);
  }

  /** The figures for programs. */
  JsonDocument document() {
    return new JsonDocument()
        .put("model", report.model())
        .put("backend", report.backend())
        .put("mode", report.mode())
        .put("samples", report.samples())
        .put("complete", report.isComplete())
        .put("total_groups", report.total())
        .put("all", document(report.all()))
        .put("groups", report.groups().stream().map(SensitivityTable::document).toList());
  }

  private static JsonDocument document(GroupSensitivity group) {
    return new JsonDocument()
        .put("modules", List.copyOf(group.modules()))
        .put("class", group.type())
        .put("bytes_before", group.bytesBefore())
        .put("bytes_after", group.bytesAfter())
        .put("alone", document(group.alone()))
        .put("all_but_it", document(group.others()));
  }

  static @Nullable JsonDocument document(@Nullable OutputSimilarity similarity) {
    return similarity == null
        ? null
        : new JsonDocument()
            .put("cosine_mean", similarity.cosineMean())
            .put("cosine_min", similarity.cosineMin())
            .put("sqnr_db", similarity.sqnrDecibels())
            .put("identical", similarity.sqnrDecibels() == Double.POSITIVE_INFINITY);
  }
}
