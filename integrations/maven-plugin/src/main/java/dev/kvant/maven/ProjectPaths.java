package dev.kvant.maven;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.DataConfig;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Resolves relative paths against the project's folder, not the folder that Maven was started in.
 *
 * @param project the project's folder
 */
record ProjectPaths(Path project) {

  /** The backend's option that names a file, which need not exist yet. */
  private static final String CACHE = "calibration_cache";

  /** The same configuration with all paths resolved. */
  ModelQuantizationConfig resolve(ModelQuantizationConfig config) {
    ModelQuantizationConfig.Builder resolved = config.toBuilder();
    Path model = config.modelPath();
    if (model != null) {
      resolved.modelPath(project.resolve(model));
    }
    Path results = config.resultsDir();
    if (results != null) {
      resolved.resultsDir(project.resolve(results));
    }
    if (config.backendKwargs().get(CACHE) instanceof String cache) {
      resolved.backendKwarg(CACHE, project.resolve(cache).toString());
    }
    resolved.calibration(calibration(config.calibration()));
    resolved.evaluation(evaluation(config.evaluation()));
    return resolved.build();
  }

  private @Nullable CalibrationConfig calibration(@Nullable CalibrationConfig calibration) {
    return calibration == null
        ? null
        : new CalibrationConfig(
            data(calibration.data()),
            calibration.batchSize(),
            calibration.maxBatches(),
            calibration.nonFinite());
  }

  private @Nullable EvaluationConfig evaluation(@Nullable EvaluationConfig evaluation) {
    return evaluation == null
        ? null
        : new EvaluationConfig(
            data(evaluation.data()),
            evaluation.batchSize(),
            evaluation.labels(),
            evaluation.gates());
  }

  private DataConfig data(DataConfig data) {
    Map<String, Object> options = new LinkedHashMap<>();
    data.options()
        .forEach(
            (key, value) ->
                options.put(key, file(value).<Object>map(Path::toString).orElse(value)));
    return new DataConfig(project.resolve(data.path()), data.reader(), options);
  }

  /** The file in the project that a setting names, as a tokenizer's; empty if it names none. */
  private Optional<Path> file(Object value) {
    if (!(value instanceof String text) || text.isBlank()) {
      return Optional.empty();
    }
    try {
      return Optional.of(project.resolve(text)).filter(Files::isRegularFile);
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  /** The files and folders that the result of a configuration depends on, besides the model. */
  List<Path> inputs(ModelQuantizationConfig config) {
    List<Path> inputs = new ArrayList<>();
    CalibrationConfig calibration = config.calibration();
    if (calibration != null) {
      addTo(inputs, calibration.data());
    }
    EvaluationConfig evaluation = config.evaluation();
    if (evaluation != null) {
      addTo(inputs, evaluation.data());
    }
    return inputs;
  }

  private void addTo(List<Path> inputs, DataConfig data) {
    inputs.add(data.path());
    data.options().values().forEach(value -> file(value).ifPresent(inputs::add));
  }
}
