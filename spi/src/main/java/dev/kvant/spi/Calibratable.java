package dev.kvant.spi;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.PreparedModel;

/**
 * A quantizer that can observe a model on data before it quantizes.
 *
 * @since 0.1.0
 */
public interface Calibratable {

  /** Runs the data through the model and keeps statistics, never the activations. */
  void calibrate(PreparedModel model, CalibrationDataset data);
}
