package dev.kvant.backend.onnx;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.PreparedModel;
import dev.kvant.spi.Calibratable;
import dev.kvant.spi.QuantizerContext;

/** Quantizes activations too, for which they must be observed. */
final class StaticOnnxQuantizer extends OnnxQuantizer implements Calibratable {

  StaticOnnxQuantizer(QuantizerContext context) {
    super(context);
  }

  @Override
  public void calibrate(PreparedModel model, CalibrationDataset data) {
    observe(model, data);
  }
}
