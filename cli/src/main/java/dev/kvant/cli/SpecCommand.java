package dev.kvant.cli;

import dev.kvant.cli.output.Screens;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * A command that is told what to do by a spec, or makes one for a model, and by what takes
 * precedence over it.
 */
abstract class SpecCommand extends Subcommand {

  @Option(
      names = {"-c", "-e", "--config"},
      paramLabel = "SPEC",
      description = "The spec, a YAML document.")
  private @Nullable Path config;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The folder for the artifacts, instead of the spec's results_dir.")
  private @Nullable Path out;

  @Mixin private ModelArguments arguments = new ModelArguments();

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
    return arguments.data() != null;
  }

  /** Whether the user names a spec. */
  boolean hasSpec() {
    return config != null;
  }

  /** Refuses arguments that do not go together, before anything is opened. */
  void checkUsage() {
    if (config == null) {
      refuse(
          arguments
              .problem()
              .map(
                  problem ->
                      problem.equals(ModelArguments.NO_MODEL)
                          ? problem + ", or a spec with -c SPEC"
                          : problem));
    } else if (!arguments.ofRecipes().isEmpty()) {
      throw wrongUsage(
          "%s: only for a model without a spec; override the spec with key=value"
              .formatted(String.join(", ", arguments.ofRecipes())));
    }
  }

  /** The spec with all that takes precedence over it; it names a model. */
  UsedSpec spec(Kvant kvant) {
    return config == null
        ? arguments.spec(kvant, out)
        : UsedSpec.written(document(config).requiringModelPath("set it or give --model FILE"));
  }

  private ConfigDocument document(Path spec) {
    ConfigDocument document = ConfigDocument.read(spec).withOverrides(arguments.words());
    Path model = arguments.model();
    if (model != null) {
      document = document.withModelPath(model);
    }
    if (out != null) {
      document = document.withResultsDir(out);
    }
    Path data = arguments.data();
    return data == null ? document : document.withCalibrationData(data);
  }
}
