package dev.kvant.cli;

import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.cli.output.Screens;
import dev.kvant.cli.output.Style;
import dev.kvant.report.ReportDocument;
import dev.kvant.report.ReportFiles;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.tuning.AnalysisRequest;
import dev.kvant.runtime.tuning.SensitivityReport;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Shows which modules suffer from quantization. */
@Command(
    name = AnalyzeCommand.NAME,
    customSynopsis = {
      "kvant analyze MODEL --data PATH [OPTIONS] [key=value ...]",
      "kvant analyze -c SPEC [--data PATH] [OPTIONS] [key=value ...]"
    },
    description = {
      "Shows which modules suffer from quantization: compares the outputs with those of the model"
          + " when each group of modules is quantized alone, and when all others are.",
      "Modules that read one tensor, such as query, key and value, are one group. Takes the"
          + " arguments of 'quantize', and writes no artifact. Ctrl-C prints the finished groups."
    },
    exitCodeList = {
      Subcommand.EXIT_DONE,
      Subcommand.EXIT_FAILED,
      Subcommand.EXIT_WRONG_INPUT,
      "130:interrupted; the finished groups were printed"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  kvant analyze encoder.onnx --data sentences.txt tokenizer=tokenizer.json",
      "  kvant analyze -c spec.yaml --samples 64 --finished groups.jsonl --report results"
    })
final class AnalyzeCommand extends SpecCommand {

  static final String NAME = "analyze";

  @Option(
      names = "--samples",
      paramLabel = "N",
      defaultValue = "" + AnalysisRequest.DEFAULT_SAMPLES,
      description = "On how many samples outputs are compared at most. Default: ${DEFAULT-VALUE}.")
  private int samples;

  @Option(
      names = "--finished",
      paramLabel = "FILE",
      description =
          "A file that keeps the finished groups. After an interrupt the same command goes on.")
  private @Nullable Path finished;

  @Option(
      names = "--report",
      paramLabel = "PATH",
      description =
          "Write the figures with a plot: into a folder as report.json and report.html, or into a"
              + " file that ends in .json or .html.")
  private @Nullable Path report;

  AnalyzeCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    checkUsage();
    if (samples < 1) {
      throw wrongUsage("--samples must be at least 1, not " + samples);
    }
    Optional<ReportFiles> files = Optional.ofNullable(report).map(ReportFiles::at);
    files.ifPresent(ReportFiles::check);
    SensitivityTable table;
    SensitivityReport found;
    try (Reporter reporter = new Reporter(err());
        Kvant kvant = open(reporter)) {
      UsedSpec spec = spec(kvant);
      ModelQuantizationConfig config;
      try (ModelQuantizer quantizer = kvant.quantizer(spec.document().withoutResultsDir())) {
        config = quantizer.config();
      }
      try (QuantizableModel model = kvant.load(Objects.requireNonNull(config.modelPath()))) {
        found = kvant.analyze(model, config, new AnalysisRequest(samples, finished, group -> {}));
        table = new SensitivityTable(found);
        if (files.isPresent()) {
          files.get().write(ReportDocument.ofAnalysis(model, table.document()));
        }
      }
    }
    print(
        table::document,
        () -> {
          table.print(out());
          if (files.isPresent()) {
            out().line();
            files.get().paths().forEach(path -> out().line("The report is in %s.".formatted(path)));
          }
        });
    if (found.isComplete()) {
      return ExitCode.DONE;
    }
    err()
        .paragraph(
            "interrupted: ",
            Style.ERROR,
            "%d of %d groups are finished%s"
                .formatted(
                    found.groups().size(),
                    found.total(),
                    finished == null
                        ? "; --finished FILE keeps them for the next run"
                        : "; the same command goes on with " + finished));
    return ExitCode.INTERRUPTED;
  }
}
