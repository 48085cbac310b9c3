package dev.kvant.cli;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.cli.output.ByteSize;
import dev.kvant.cli.output.JsonDocument;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Screens;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.data.CalibrationFiles;
import dev.kvant.runtime.discovery.InstalledBackend;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import picocli.CommandLine.Command;

/** Quantizes a model as a spec says. */
@Command(
    name = QuantizeCommand.NAME,
    description = {
      "Quantizes a model as a spec says, and writes the result.",
      "Prints what was done to each module and, with 'evaluation' in the spec, how the model does"
          + " before and after."
    },
    exitCodeList = {
      Subcommand.EXIT_DONE,
      Subcommand.EXIT_FAILED,
      Subcommand.EXIT_WRONG_INPUT,
      Subcommand.EXIT_INTERRUPTED
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  kvant quantize -c examples/digits/torchao-int8.yaml",
      "  kvant quantize -c spec.yaml --model model.pt --out results \\",
      "      quantize.layers[0].weights.dtype=fp8_e4m3fn"
    })
final class QuantizeCommand extends SpecCommand {

  static final String NAME = "quantize";

  QuantizeCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    try (Reporter reporter = new Reporter(err());
        OpenedKvant opened = installations().open(reporter);
        ModelQuantizer quantizer =
            opened.kvant().quantizer(document().requiringResultsDir("set it or give --out DIR"))) {
      ModelQuantizationConfig config = quantizer.config();
      Path source = Objects.requireNonNull(config.modelPath());
      Path directory = Objects.requireNonNull(config.resultsDir());
      try (QuantizableModel model = opened.kvant().load(source)) {
        Optional<BeforeAndAfter> comparison =
            BeforeAndAfter.prepare(opened.kvant(), reporter, config, model);
        SavedModel saved =
            quantizer.saveModel(quantized(opened.kvant(), quantizer, model), directory);
        Optional<EvaluationResult> evaluation = comparison.map(each -> each.evaluate(saved));
        evaluation.ifPresent(result -> result.warnings().forEach(reporter::warn));
        reporter.done();
        print(document(model, saved, evaluation), () -> show(model, saved, evaluation));
      }
    }
    return ExitCode.DONE;
  }

  private static QuantizedModel quantized(
      Kvant kvant, ModelQuantizer quantizer, QuantizableModel model) {
    CalibrationConfig calibration = quantizer.config().calibration();
    if (calibration != null) {
      return quantizer.quantizeModel(model, new CalibrationFiles(calibration));
    }
    PreparedModel prepared = quantizer.prepare(model);
    requireNoData(kvant, prepared.plan());
    return quantizer.quantize(prepared);
  }

  /** What a spec leaves out is the same mistake with every backend, whatever it makes of it. */
  private static void requireNoData(Kvant kvant, QuantizationPlan plan) {
    long observed =
        plan.modules().stream().filter(module -> module.activations().isQuantized()).count();
    if (observed > 0 && calibrates(kvant, plan)) {
      throw new InvalidConfigurationException(
          List.of(
              new ConfigurationProblem(
                  "quantize.calibration.path",
                  "is required, since the activations of %s are to be quantized; set it or give --calibration PATH"
                      .formatted(Count.of(observed, "module")))));
    }
  }

  private static boolean calibrates(Kvant kvant, QuantizationPlan plan) {
    return kvant.backends().backends().stream()
        .map(InstalledBackend::descriptor)
        .filter(backend -> backend.id().equals(plan.backend()))
        .map(backend -> backend.modes().get(plan.mode()))
        .anyMatch(mode -> mode != null && !mode.algorithms().isEmpty());
  }

  private void show(
      QuantizableModel model, SavedModel saved, Optional<EvaluationResult> evaluation) {
    Screen out = out();
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
    evaluation.ifPresent(
        result -> {
          out.line();
          result.print(out);
        });
  }

  private static String sum(QuantizationReport report) {
    long quantized = 0;
    long before = 0;
    long after = 0;
    for (ModuleReport module : report.modules()) {
      quantized += module.decision().isQuantized() ? 1 : 0;
      before += module.bytesBefore();
      after += module.bytesAfter();
    }
    return "%d of %s quantized: %s before, %s after"
        .formatted(
            quantized,
            Count.of(report.modules().size(), "module with weights", "modules with weights"),
            ByteSize.format(before),
            ByteSize.format(after));
  }

  private static Table artifacts(QuantizableModel model, List<Artifact> artifacts) {
    long before = FileSize.of(model.source());
    Table table =
        Table.of(
            Column.name("file"),
            Column.number("size"),
            Column.number("of before"),
            Column.prose("what for"));
    table.row(model.source(), ByteSize.format(before), "", "the model as it was");
    for (Artifact artifact : artifacts) {
      table.row(
          artifact.path(),
          ByteSize.format(artifact.bytes()),
          String.format(Locale.ROOT, "%.1f %%", 100.0 * artifact.bytes() / before),
          artifact.description());
    }
    return table;
  }

  private static JsonDocument document(
      QuantizableModel model, SavedModel saved, Optional<EvaluationResult> evaluation) {
    return PlanDocument.of(saved.report(), new StoredModules(model.modules()))
        .put("model", ModelDocument.of(model))
        .put(
            "artifacts",
            saved.artifacts().stream()
                .map(
                    artifact ->
                        new JsonDocument()
                            .put("path", artifact.path())
                            .put("format", artifact.format())
                            .put("bytes", artifact.bytes())
                            .put("description", artifact.description()))
                .toList())
        .put("evaluation", evaluation.map(EvaluationResult::document));
  }
}
