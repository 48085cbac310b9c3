package dev.kvant.cli;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.RuleReference;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Style;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Cell;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.report.Figures;
import dev.kvant.report.StoredModules;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The table of what is done to each module. Of a long model, modules that differ in nothing but the
 * numbers in their names share a row.
 */
final class ModuleTable {

  /** How many rows are shown before rows are put together. */
  static final int LONG = 40;

  private static final Pattern NUMBER = Pattern.compile("(?<=^|\\.)\\d+(?=\\.|$)");

  /** What a row says of a module, but for its name and figures. */
  private record Kind(
      String name,
      String type,
      String from,
      OperandOutcome weights,
      OperandOutcome activations,
      String rule,
      String note) {}

  /** A module, or several of one kind. */
  private record Row(
      String name,
      String type,
      String from,
      OperandOutcome weights,
      OperandOutcome activations,
      String rule,
      int modules,
      long bytesBefore,
      @Nullable Long bytesAfter,
      @Nullable Double sqnrDecibels,
      String note) {

    Kind kind() {
      return new Kind(
          withoutNumbers(name),
          type,
          from,
          withoutError(weights),
          withoutError(activations),
          rule,
          note);
    }

    /** Both rows in one: sizes add up, the worse ratio counts. */
    Row and(Row other) {
      return new Row(
          withoutNumbers(name),
          type,
          from,
          weights,
          activations,
          rule,
          modules + other.modules,
          bytesBefore + other.bytesBefore,
          bytesAfter == null || other.bytesAfter == null ? null : bytesAfter + other.bytesAfter,
          sqnrDecibels == null || other.sqnrDecibels == null
              ? null
              : Double.valueOf(Math.min(sqnrDecibels, other.sqnrDecibels)),
          note);
    }
  }

  private final List<Row> rows;
  private final int modules;
  private final OperatorSummary operators;

  private ModuleTable(List<Row> rows, OperatorSummary operators, boolean all) {
    this.operators = operators;
    this.modules = rows.size();
    this.rows = all || rows.size() <= LONG ? rows : merged(rows);
  }

  /** What a plan will do. */
  static ModuleTable ofPlan(QuantizationPlan plan, StoredModules stored, boolean all) {
    return new ModuleTable(
        plan.modules().stream().map(decision -> row(decision, stored, null)).toList(),
        OperatorSummary.of(plan),
        all);
  }

  /** What was done. */
  static ModuleTable ofReport(QuantizationReport report, StoredModules stored, boolean all) {
    return new ModuleTable(
        report.modules().stream().map(module -> row(module.decision(), stored, module)).toList(),
        OperatorSummary.of(report),
        all);
  }

  private static Row row(
      ModuleDecision decision, StoredModules stored, @Nullable ModuleReport report) {
    ModuleReport done = report == null ? ModuleReport.builder(decision).build() : report;
    return new Row(
        decision.module(),
        (decision.typeInferred() && !decision.type().isEmpty() ? "~" : "") + decision.type(),
        stored.elementType(decision.module()).map(ElementType::label).orElse(""),
        done.weights(),
        done.activations(),
        rule(decision),
        1,
        report != null ? report.bytesBefore() : stored.bytes(decision.module()).orElse(0L),
        report == null ? null : Long.valueOf(report.bytesAfter()),
        done.weights().sqnrDecibels(),
        note(done));
  }

  private static String note(ModuleReport report) {
    List<String> notes = new ArrayList<>(remarks(report.weights(), report.decision().weights()));
    // What holds of both is said once.
    remarks(report.activations(), report.decision().activations()).stream()
        .filter(remark -> !notes.contains(remark))
        .map("activations: "::concat)
        .toList()
        .forEach(notes::add);
    String note = report.note();
    if (note != null && notes.stream().noneMatch(known -> known.endsWith(note))) {
      notes.add(note);
    }
    return String.join("; ", notes);
  }

  /** Why an operand is not quantized, or not everywhere. */
  private static List<String> remarks(OperandOutcome outcome, OperandDecision decision) {
    List<String> remarks = new ArrayList<>();
    if (outcome.reason() != null) {
      remarks.add(outcome.reason());
    }
    if (outcome.isQuantized()) {
      decision.nativeIn().entrySet().stream()
          .sorted(Map.Entry.comparingByKey())
          .forEach(entry -> remarks.add("native in " + entry.getKey() + ": " + entry.getValue()));
    }
    return remarks;
  }

  private static OperandOutcome withoutError(OperandOutcome outcome) {
    return new OperandOutcome(outcome.dtype(), outcome.granularity(), null, outcome.reason());
  }

  private static List<Row> merged(List<Row> rows) {
    Map<Kind, Row> byKind = new LinkedHashMap<>();
    rows.forEach(row -> byKind.merge(row.kind(), row, Row::and));
    return List.copyOf(byKind.values());
  }

  /** The name with a star for each part that is a number, as a pattern would have it. */
  static String withoutNumbers(String name) {
    return NUMBER.matcher(name).replaceAll("*");
  }

  /** Prints the table, and below it what was left out. */
  void print(Screen screen) {
    if (rows.isEmpty()) {
      screen.line("The model has no modules with weights.");
      return;
    }
    boolean merged = rows.size() < modules;
    boolean after = rows.stream().anyMatch(row -> row.bytesAfter() != null);
    // A note is said once below the table, however many modules it is about.
    Map<String, Integer> notes = new LinkedHashMap<>();
    rows.stream()
        .map(Row::note)
        .filter(note -> !note.isEmpty())
        .forEach(note -> notes.putIfAbsent(note, notes.size() + 1));
    Table table =
        Table.of(
            Column.name("module"),
            Column.number(screen.symbol("×", "x")),
            Column.name("class"),
            Column.text("weights"),
            Column.text("activations"),
            Column.name("rule"),
            Column.number(after ? "before" : "size"),
            Column.number("after"),
            Column.number("SQNR"),
            Column.number("note"));
    for (Row row : rows) {
      boolean quantized = row.weights().isQuantized() || row.activations().isQuantized();
      boolean refused = row.weights().reason() != null || row.activations().reason() != null;
      Style style = quantized ? Style.GOOD : refused ? Style.WARNING : Style.FAINT;
      table.row(
          quantized || refused ? Cell.of(row.name()) : Cell.of(Style.FAINT, row.name()),
          merged ? String.valueOf(row.modules()) : "",
          quantized || refused ? Cell.of(row.type()) : Cell.of(Style.FAINT, row.type()),
          Cell.of(style, weights(screen, row)),
          row.activations().isQuantized() ? row.activations().dtype() : "",
          row.rule(),
          Figures.bytes(row.bytesBefore()),
          row.bytesAfter() == null ? "" : Figures.bytes(row.bytesAfter()),
          row.sqnrDecibels() == null ? "" : decibels(screen, row.sqnrDecibels()),
          row.note().isEmpty() ? "" : String.valueOf(notes.get(row.note())));
    }
    table.print(screen);
    if (!notes.isEmpty()) {
      screen.line();
      notes.forEach(
          (note, number) -> screen.paragraph("note " + number + ": ", Style.STRONG, note));
    }
    if (merged) {
      screen.line();
      screen.paragraph(
          "",
          Style.PLAIN,
          ("%s in %s: equal ones share a row, with sizes added up and the lowest SQNR;"
                  + " --all shows each.")
              .formatted(Count.of(modules, "module"), Count.of(rows.size(), "row")));
    }
    operators.print(screen);
  }

  private static String weights(Screen screen, Row row) {
    if (!row.weights().isQuantized()) {
      return row.from();
    }
    String arrow = screen.symbol(" → ", " -> ");
    return (row.from().isEmpty() ? "" : row.from() + arrow) + row.weights().dtype();
  }

  private static String rule(ModuleDecision decision) {
    RuleReference weights = decision.weights().decidedBy();
    RuleReference activations = decision.activations().decidedBy();
    return Stream.of(weights, activations)
        .filter(Objects::nonNull)
        .map(RuleReference::toString)
        .distinct()
        .collect(Collectors.joining(", "));
  }

  /** A ratio for people, as in {@code 41.2 dB}. */
  static String decibels(Screen screen, double value) {
    return Double.isInfinite(value) ? screen.symbol("∞", "inf") : Figures.decibels(value);
  }
}
