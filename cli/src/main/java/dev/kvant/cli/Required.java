package dev.kvant.cli;

import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import java.nio.file.Path;

/** What a configuration can do without, but the command cannot. */
final class Required {

  private Required() {}

  /** The model to quantize. */
  static Path modelPath(ModelQuantizationConfig config) {
    Path path = config.modelPath();
    if (path == null) {
      throw new InvalidConfigurationException(
          "quantize.model_path", "is required; set it or give --model FILE");
    }
    return path;
  }

  /** The folder for the artifacts. */
  static Path resultsDir(ModelQuantizationConfig config) {
    Path directory = config.resultsDir();
    if (directory == null) {
      throw new InvalidConfigurationException(
          "quantize.results_dir", "is required; set it or give --out DIR");
    }
    return directory;
  }
}
