package dev.kvant.cli;

import dev.kvant.api.Artifact;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.EvaluationGates;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.api.VerificationException;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Screens;
import dev.kvant.cli.output.Style;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.report.BeforeAndAfter;
import dev.kvant.report.EvaluationResult;
import dev.kvant.report.Figures;
import dev.kvant.report.JsonDocument;
import dev.kvant.report.ReportDocument;
import dev.kvant.report.ReportFiles;
import dev.kvant.report.StoredModules;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.runtime.evaluation.FileBytes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Quantizes a model as a spec says, or by a recipe that suits it. */
@Command(
    name = QuantizeCommand.NAME,
    customSynopsis = {
      "kvant quantize MODEL [--out DIR] [--data PATH] [OPTIONS] [key=value ...]",
      "kvant quantize -c SPEC [--out DIR] [--data PATH] [OPTIONS] [key=value ...]"
    },
    description = {
      "Quantizes a model, and writes the result: as a spec says, or without one by the recipe that"
          + " suits the model and the data. That recipe is printed, and written beside the"
          + " artifacts as spec.yaml.",
      "Prints what was done to each module and, with 'evaluation' in the spec, how the model does"
          + " before and after."
    },
    exitCodeList = {
      Subcommand.EXIT_DONE,
      Subcommand.EXIT_FAILED,
      Subcommand.EXIT_WRONG_INPUT,
      "3:a gate of the evaluation was not passed",
      Subcommand.EXIT_REJECTED,
      Subcommand.EXIT_INTERRUPTED
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  kvant quantize model.onnx",
      "  kvant quantize encoder.onnx --data sentences.txt tokenizer=tokenizer.json",
      "  kvant quantize -c examples/digits/torchao-int8.yaml",
      "  kvant quantize -c spec.yaml --model model.pt --out results \\",
      "      quantize.layers[0].weights.dtype=fp8_e4m3fn"
    })
final class QuantizeCommand extends SpecCommand {

  static final String NAME = "quantize";

  @Option(
      names = "--no-verify",
      description = "Do not run the artifacts beside their source once they are written.")
  private boolean notVerified;

  @Option(
      names = "--statistics",
      paramLabel = "FILE",
      description =
          "Statistics that 'calibrate' wrote, to use instead of calibration data. Repeat the option"
              + " for each part of the data.")
  private List<Path> statistics = new ArrayList<>();

  @Option(
      names = "--report",
      paramLabel = "PATH",
      description =
          "Write the report of what was done: into a folder as report.json and report.html, or"
              + " into a file that ends in .json or .html.")
  private @Nullable Path report;

  QuantizeCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    if (!statistics.isEmpty() && hasCalibrationData()) {
      throw wrongUsage("--statistics are used instead of --calibration; give one of them");
    }
    checkUsage();
    if (!statistics.isEmpty() && !hasSpec()) {
      throw wrongUsage("--statistics belong to a spec; give it with -c SPEC");
    }
    try (Reporter reporter = new Reporter(err());
        Kvant kvant = open(reporter)) {
      UsedSpec spec = spec(kvant);
      try (ModelQuantizer quantizer = kvant.quantizer(quantizationDocument(spec))) {
        return quantize(kvant, reporter, spec, quantizer);
      }
    }
  }

  private int quantize(Kvant kvant, Reporter reporter, UsedSpec spec, ModelQuantizer quantizer) {
    ModelQuantizationConfig config = quantizer.config();
    Path source = Objects.requireNonNull(config.modelPath());
    Path directory = Objects.requireNonNull(config.resultsDir());
    Optional<MadeSpec> made = spec.made(config, directory);
    Optional<ReportFiles> reports = Optional.ofNullable(report).map(ReportFiles::at);
    reports.ifPresent(ReportFiles::check);
    try (QuantizableModel model = kvant.load(source)) {
      Optional<BeforeAndAfter> comparison =
          BeforeAndAfter.prepare(kvant, config, model, reporter::warn);
      SavedModel saved;
      try {
        saved = save(kvant, quantizer, model, directory);
      } catch (VerificationException e) {
        reporter.done();
        made.ifPresent(MadeSpec::write);
        JsonDocument rejected = document(model, e.saved(), made, Optional.empty());
        reports.ifPresent(files -> files.write(rejected));
        print(() -> rejected, () -> show(model, e.saved(), made, reports));
        err().paragraph("error: ", Style.ERROR, String.valueOf(e.getMessage()));
        return ExitCode.REJECTED;
      }
      reporter.done();
      made.ifPresent(MadeSpec::write);
      JsonDocument done = document(model, saved, made, Optional.empty());
      // Before the evaluation: what was written is told even if that fails.
      reports.ifPresent(files -> files.write(done));
      if (!isJson()) {
        show(model, saved, made, reports);
        out().writer().flush();
      }
      Optional<EvaluationResult> evaluation = comparison.map(each -> each.evaluate(saved));
      evaluation.ifPresent(
          result -> new EvaluationTable(result).warnings().forEach(reporter::warn));
      reporter.done();
      if (evaluation.isEmpty()) {
        print(() -> done, () -> {});
      } else {
        JsonDocument evaluated = document(model, saved, made, evaluation);
        reports.ifPresent(files -> files.write(evaluated));
        print(() -> evaluated, () -> show(evaluation.get()));
      }
      List<String> failedGates =
          evaluation.map(each -> each.failed(gates(config))).orElse(List.of());
      failedGates.forEach(gate -> err().paragraph("gate not passed: ", Style.ERROR, gate));
      return failedGates.isEmpty() ? ExitCode.DONE : ExitCode.GATE_FAILED;
    }
  }

  private static EvaluationGates gates(ModelQuantizationConfig config) {
    EvaluationConfig evaluation = config.evaluation();
    return evaluation == null ? EvaluationGates.NONE : evaluation.gates();
  }

  private ConfigDocument quantizationDocument(UsedSpec spec) {
    ConfigDocument document = spec.document().requiringResultsDir("set it or give --out DIR");
    return notVerified ? document.withoutVerification() : document;
  }

  private SavedModel save(
      Kvant kvant, ModelQuantizer quantizer, QuantizableModel model, Path directory) {
    if (!statistics.isEmpty()) {
      PreparedModel prepared = quantizer.prepare(model);
      quantizer.calibrate(prepared, statistics);
      return quantizer.saveModel(quantizer.quantize(prepared), directory);
    }
    return kvant.quantize(quantizer, model, directory);
  }

  private void show(EvaluationResult evaluation) {
    out().line();
    new EvaluationTable(evaluation).print(out());
  }

  private void show(
      QuantizableModel model,
      SavedModel saved,
      Optional<MadeSpec> made,
      Optional<ReportFiles> reports) {
    Screen out = out();
    made.ifPresent(spec -> spec.print(out));
    QuantizationReport report = saved.report();
    out.line(
        "%s, %s: backend %s, mode %s"
            .formatted(model.source(), model.format(), report.backend(), report.mode()));
    out.line();
    ModuleTable.ofReport(report, new StoredModules(model.modules()), isAll()).print(out);
    out.line();
    out.line(sum(report));
    out.line();
    artifacts(model, saved.artifacts()).print(out);
    if (!report.requirements().isEmpty()) {
      out.line();
      RequirementTable.of(report.requirements()).print(out);
    }
    if (!saved.verifications().isEmpty()) {
      out.line();
      VerificationTable.of(saved.verifications()).print(out);
    }
    reports.ifPresent(
        files -> {
          out.line();
          files.paths().forEach(file -> out.line("The report is in %s.".formatted(file)));
        });
  }

  private static String sum(QuantizationReport report) {
    long quantized = 0;
    long before = 0;
    long after = 0;
    for (ModuleReport module : report.modules()) {
      quantized += module.isQuantized() ? 1 : 0;
      before += module.bytesBefore();
      after += module.bytesAfter();
    }
    return "%d of %s quantized: %s before, %s after"
        .formatted(
            quantized,
            Count.of(report.modules().size(), "module with weights", "modules with weights"),
            Figures.bytes(before),
            Figures.bytes(after));
  }

  private static Table artifacts(QuantizableModel model, List<Artifact> artifacts) {
    List<Path> files = model.files();
    long before = FileBytes.of(files);
    Table table =
        Table.of(
            Column.name("file"),
            Column.number("size"),
            Column.number("of original"),
            Column.prose("what for"));
    table.row(
        model.source(),
        Figures.bytes(before),
        "",
        files.size() == 1
            ? "the original model"
            : "the original model, %d files".formatted(files.size()));
    for (Artifact artifact : artifacts) {
      table.row(
          artifact.path(),
          Figures.bytes(artifact.bytes()),
          Figures.percent((double) artifact.bytes() / before),
          artifact.description());
    }
    return table;
  }

  private static JsonDocument document(
      QuantizableModel model,
      SavedModel saved,
      Optional<MadeSpec> made,
      Optional<EvaluationResult> evaluation) {
    return ReportDocument.of(
        model, saved, evaluation.orElse(null), made.map(MadeSpec::document).orElse(null));
  }
}
