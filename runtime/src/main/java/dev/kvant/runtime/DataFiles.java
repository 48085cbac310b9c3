package dev.kvant.runtime;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.QuantizableModel;

/** Opens data that a configuration names. */
@FunctionalInterface
interface DataFiles {

  /** The data for a model, which is read when it is walked through. */
  CalibrationDataset of(CalibrationConfig config, QuantizableModel model);
}
