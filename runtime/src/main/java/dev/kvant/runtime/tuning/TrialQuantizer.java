package dev.kvant.runtime.tuning;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Internal;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.SavedModel;
import dev.kvant.runtime.calibration.KnownStatistics;
import java.nio.file.Path;
import java.util.List;

/**
 * A quantizer that writes several plans of one prepared model.
 *
 * @since 0.1.0
 */
@Internal
public interface TrialQuantizer extends AutoCloseable {

  /** The validated configuration. */
  ModelQuantizationConfig config();

  /** The id and the version of the backend. */
  String backend();

  /**
   * Makes sure that an artifact in that folder would not replace the model.
   *
   * @throws dev.kvant.api.UnsupportedModelException if it would
   */
  void refuseToReplace(QuantizableModel model, Path directory);

  /** Plans for a model. */
  PreparedModel prepare(QuantizableModel model);

  /**
   * Observes the model on data, unless the statistics that are known already tell all that the run
   * needs. Does nothing in a mode that does not calibrate.
   *
   * @param known what was observed of this model on this data; what is observed is added
   */
  @SuppressWarnings("exports") // Only this module implements it.
  void calibrate(PreparedModel model, CalibrationDataset data, KnownStatistics known);

  /** The modules that read one tensor, by what the backend knows. */
  List<List<String>> groups(PreparedModel model);

  /**
   * Writes what a plan makes of the model, and does not verify it.
   *
   * @param plan quantizes some of the modules of the prepared model's plan
   */
  SavedModel save(PreparedModel model, QuantizationPlan plan, Path directory);

  /**
   * Writes the model as planned, and verifies it as configured.
   *
   * @throws dev.kvant.api.VerificationException if the artifact is wrong
   */
  SavedModel saveVerified(PreparedModel model, Path directory);

  /** Whether the model is quantized with statistics. */
  boolean hasStatistics(PreparedModel model);

  /** Writes the statistics that the model is quantized with, if there are any. */
  void saveStatisticsIfAny(PreparedModel model, Path file);

  @Override
  void close();
}
