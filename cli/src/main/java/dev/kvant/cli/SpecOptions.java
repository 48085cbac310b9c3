package dev.kvant.cli;

import dev.kvant.runtime.config.ConfigDocument;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a command is told of the spec: the document, and what takes precedence over it. */
final class SpecOptions {

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
      description = "Values that override the spec's, as in quantize.layers[0].weights.dtype=int8.")
  private List<String> overrides = new ArrayList<>();

  /** The spec with all that takes precedence over it. */
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
    return document;
  }
}
