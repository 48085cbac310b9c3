package dev.kvant.backend.torchao;

import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizedModel;

/**
 * A model that will be quantized while it is saved.
 *
 * @param prepared the model with its plan
 * @param owner the quantizer that may save it
 */
record TorchaoModel(PreparedModel prepared, TorchaoQuantizer owner) implements QuantizedModel {

  @Override
  public QuantizationPlan plan() {
    return prepared.plan();
  }

  /** Does nothing: the source model is its owner's. */
  @Override
  public void close() {}
}
