package dev.kvant.cli;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.cli.output.Screens;
import dev.kvant.report.Figures;
import dev.kvant.report.JsonDocument;
import dev.kvant.report.ModelDocument;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.evaluation.FileBytes;
import java.nio.file.Path;
import java.util.Objects;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Observes a model on data and writes what it observed. */
@Command(
    name = CalibrateCommand.NAME,
    customSynopsis =
        "kvant calibrate -c SPEC --statistics FILE [--data PATH] [OPTIONS] [key=value ...]",
    description = {
      "Observes a model on calibration data as a spec says, and writes the statistics.",
      "'quantize --statistics' uses them instead of data. Statistics of parts of the data, observed"
          + " by several processes, give the same artifacts as all data at once."
    },
    exitCodeList = {
      Subcommand.EXIT_DONE,
      Subcommand.EXIT_FAILED,
      Subcommand.EXIT_WRONG_INPUT,
      Subcommand.EXIT_INTERRUPTED
    },
    footer = "  kvant calibrate -c spec.yaml --calibration part1.npz --statistics part1.statistics")
final class CalibrateCommand extends SpecCommand {

  static final String NAME = "calibrate";

  @Option(
      names = "--statistics",
      paramLabel = "FILE",
      required = true,
      description = "The file to write the statistics to.")
  @SuppressWarnings("NullAway.Init")
  private Path statistics;

  CalibrateCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    if (!hasSpec()) {
      throw wrongUsage("-c SPEC is required: statistics belong to a spec");
    }
    checkUsage();
    try (Reporter reporter = new Reporter(err());
        Kvant kvant = open(reporter);
        ModelQuantizer quantizer = kvant.quantizer(spec(kvant).document().withoutResultsDir())) {
      CalibrationConfig data = quantizer.config().calibration();
      if (data == null) {
        throw new InvalidConfigurationException(
            "quantize.calibration.path", "is required; set it or give --calibration PATH");
      }
      Path source = Objects.requireNonNull(quantizer.config().modelPath());
      try (QuantizableModel model = kvant.load(source)) {
        PreparedModel prepared = quantizer.prepare(model);
        quantizer.calibrate(prepared, kvant.calibrationData(data, model));
        quantizer.saveStatistics(prepared, statistics);
        reporter.done();
        long bytes = FileBytes.of(statistics);
        print(
            () ->
                new JsonDocument()
                    .put("model", ModelDocument.of(model))
                    .put("data", data.data().path())
                    .put(
                        "statistics",
                        new JsonDocument().put("path", statistics).put("bytes", bytes)),
            () ->
                out()
                    .line(
                        "%s: statistics of %s on %s, %s"
                            .formatted(
                                statistics,
                                model.source(),
                                data.data().path(),
                                Figures.bytes(bytes))));
      }
    }
    return ExitCode.DONE;
  }
}
