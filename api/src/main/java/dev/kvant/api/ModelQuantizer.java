package dev.kvant.api;

import java.nio.file.Path;
import java.util.List;

/**
 * Takes a model through quantization with one configuration: prepare, calibrate, quantize, save.
 *
 * <p>Not safe for use by several threads at once; several quantizers may work side by side. A
 * thread that is interrupted leaves a long step with {@link QuantizationCancelledException} and
 * nothing half-written.
 *
 * @since 0.1.0
 */
public interface ModelQuantizer extends AutoCloseable {

  /** The configuration, validated, with every default filled in. */
  ModelQuantizationConfig config();

  /**
   * Makes the plan for a model and remembers it as the last prepared one.
   *
   * @throws InvalidConfigurationException if, under {@code strict}, a rule has no effect on this
   *     model
   * @throws UnsupportedModelException if the backend does not take models of this format
   */
  PreparedModel prepare(QuantizableModel model);

  /**
   * Observes the model on data. Does nothing, with one warning, when the backend has nothing to
   * calibrate.
   *
   * @throws CalibrationException if the data does not fit the model, or a value seen is not finite
   */
  void calibrate(PreparedModel model, CalibrationDataset data);

  /**
   * Uses what was observed before, in place of data. Does nothing, with one warning, when the
   * backend has nothing to calibrate.
   *
   * @param statistics files that {@link #saveStatistics} wrote, of parts of the data and in any
   *     order; merged, they equal those of all data observed at once
   * @throws CalibrationException if one cannot be read, or is of another model or plan
   */
  void calibrate(PreparedModel model, List<Path> statistics);

  /**
   * Writes what was observed of a model, whole or not at all.
   *
   * @throws CalibrationException if nothing was observed
   */
  void saveStatistics(PreparedModel model, Path file);

  /**
   * Quantizes the last prepared model.
   *
   * @throws IllegalStateException if none was prepared
   */
  QuantizedModel quantize();

  /** Quantizes a prepared model and remembers the result as the last quantized one. */
  QuantizedModel quantize(PreparedModel model);

  /** Prepares and quantizes, without data. */
  QuantizedModel quantizeModel(QuantizableModel model);

  /** Prepares, calibrates where backend and mode ask for it, and quantizes. */
  QuantizedModel quantizeModel(QuantizableModel model, CalibrationDataset data);

  /**
   * Saves the last quantized model into the configuration's {@code results_dir}.
   *
   * @throws IllegalStateException if nothing was quantized, or the configuration names no folder
   */
  SavedModel saveModel();

  /**
   * Saves a quantized model. Creates the folder; replaces older artifacts only once the new ones
   * are whole.
   *
   * @throws QuantizationException if a weight is not finite
   */
  SavedModel saveModel(QuantizedModel model, Path directory);

  /**
   * Releases what the quantizer holds, the quantized models that it gave among it; the caller's
   * models stay open. A second call does nothing.
   */
  @Override
  void close();
}
