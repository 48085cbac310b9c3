package dev.kvant.cli;

import dev.kvant.cli.output.Screens;
import dev.kvant.runtime.config.ConfigDocument;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A command that is told what to do by a spec, and by what takes precedence over it. */
abstract class SpecCommand extends Subcommand {

  @Option(
      names = {"-c", "-e", "--config"},
      paramLabel = "SPEC",
      required = true,
      description = "The spec, a YAML document.")
  @SuppressWarnings("NullAway.Init")
  private Path config;

  @Option(
      names = "--model",
      paramLabel = "FILE",
      description = "The model, instead of the spec's model_path.")
  private @Nullable Path model;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The folder for the artifacts, instead of the spec's results_dir.")
  private @Nullable Path out;

  @Option(
      names = "--calibration",
      paramLabel = "PATH",
      description = "Calibration data, instead of the spec's calibration.path.")
  private @Nullable Path calibration;

  @Parameters(
      paramLabel = "key=value",
      arity = "0..*",
      description = "What overrides the spec, as in quantize.strict=false.")
  private List<String> overrides = new ArrayList<>();

  @Option(names = "--all", description = "Show each module of a long model in a row of its own.")
  private boolean all;

  SpecCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  /** Whether modules that are alike keep rows of their own. */
  boolean isAll() {
    return all;
  }

  /** Whether calibration data was named beside the spec. */
  boolean hasCalibrationData() {
    return calibration != null;
  }

  /** The spec with all that takes precedence over it; it names a model. */
  ConfigDocument document() {
    ConfigDocument document = ConfigDocument.read(config).withOverrides(overrides);
    if (model != null) {
      document = document.withModelPath(model);
    }
    if (out != null) {
      document = document.withResultsDir(out);
    }
    if (calibration != null) {
      document = document.withCalibrationData(calibration);
    }
    return document.requiringModelPath("set it or give --model FILE");
  }
}
