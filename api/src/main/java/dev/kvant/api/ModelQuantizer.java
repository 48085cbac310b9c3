package dev.kvant.api;

import java.nio.file.Path;
import java.util.List;

/**
 * Quantizes a model with one configuration: prepare, calibrate, quantize, save.
 *
 * <p>Not thread-safe; several quantizers may work in parallel. If its thread is interrupted, a long
 * step throws {@link QuantizationCancelledException} and leaves no partial files.
 *
 * @since 0.1.0
 */
public interface ModelQuantizer extends AutoCloseable {

  /** The configuration, validated, with every default filled in. */
  ModelQuantizationConfig config();

  /**
   * Makes the plan for a model, which becomes the last prepared one.
   *
   * @throws InvalidConfigurationException if, under {@code strict}, a rule has no effect on this
   *     model
   * @throws UnsupportedModelException if the backend does not support models of this format
   */
  PreparedModel prepare(QuantizableModel model);

  /**
   * Observes the model on data. If the backend has nothing to calibrate, it does nothing but warn.
   *
   * @throws CalibrationException if the data does not fit the model, or an observed value is not
   *     finite
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

  /** Quantizes a prepared model. The result becomes the last quantized one. */
  QuantizedModel quantize(PreparedModel model);

  /** Prepares and quantizes, without data. */
  QuantizedModel quantizeModel(QuantizableModel model);

  /** Prepares, calibrates if backend and mode require it, and quantizes. */
  QuantizedModel quantizeModel(QuantizableModel model, CalibrationDataset data);

  /**
   * Saves the last quantized model into the configuration's {@code results_dir}.
   *
   * @throws IllegalStateException if nothing was quantized, or the configuration names no folder
   */
  SavedModel saveModel();

  /**
   * Saves a quantized model. Creates the folder. Replaces older artifacts only after the new ones
   * are complete.
   *
   * @throws QuantizationException if a weight is not finite
   */
  SavedModel saveModel(QuantizedModel model, Path directory);

  /**
   * Releases the resources of the quantizer, including the quantized models that it returned. The
   * caller's models stay open. A second call does nothing.
   */
  @Override
  void close();
}
