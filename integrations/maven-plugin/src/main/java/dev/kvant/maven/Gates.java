package dev.kvant.maven;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.DataConfig;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.EvaluationGates;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.VerificationConfig;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The gates that the plugin's parameters add to those of a spec.
 *
 * @param minSqnr the decibels that each output must reach, or null
 * @param minCosine the least mean cosine similarity to the original, or null
 * @param data the data for the comparison, or null
 */
record Gates(@Nullable Double minSqnr, @Nullable Double minCosine, @Nullable Path data) {

  /**
   * A configuration with these gates.
   *
   * @throws IllegalArgumentException if the configuration has no data that a gate needs, or
   *     switches the verification off that a gate is part of
   */
  ModelQuantizationConfig addTo(ModelQuantizationConfig config) {
    ModelQuantizationConfig.Builder gated = config.toBuilder();
    if (minSqnr != null) {
      if (!config.verify().enabled()) {
        throw new IllegalArgumentException(
            "<minSqnr> is checked by the verification, which 'verify.enabled: false' switches off;"
                + " remove one of the two");
      }
      gated.verify(new VerificationConfig(true, config.verify().samples(), minSqnr));
    }
    if (minCosine != null || data != null) {
      EvaluationConfig evaluation = evaluation(config);
      EvaluationGates gates = evaluation.gates();
      gated.evaluation(
          new EvaluationConfig(
              evaluation.data(),
              evaluation.batchSize(),
              evaluation.labels(),
              minCosine == null ? gates : gates.withMinCosine(minCosine)));
    }
    return gated.build();
  }

  private EvaluationConfig evaluation(ModelQuantizationConfig config) {
    EvaluationConfig evaluation = config.evaluation();
    CalibrationConfig calibration = config.calibration();
    if (evaluation != null) {
      return data == null
          ? evaluation
          : new EvaluationConfig(
              at(data, evaluation.data()),
              evaluation.batchSize(),
              evaluation.labels(),
              evaluation.gates());
    }
    if (calibration != null) {
      return new EvaluationConfig(
          data == null ? calibration.data() : at(data, calibration.data()),
          calibration.batchSize());
    }
    if (data == null) {
      throw new IllegalArgumentException(
          "<minCosine> needs data to run the model on; give <evaluationData> or <data>, or use"
              + " <minSqnr>, which needs none");
    }
    return new EvaluationConfig(DataConfig.of(data), null);
  }

  /** Data of another place that is read in the same way. */
  private static DataConfig at(Path path, DataConfig data) {
    return new DataConfig(path, data.reader(), data.options());
  }
}
