package dev.kvant.backend.onnx;

import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizedModel;
import dev.kvant.backend.onnx.weights.WeightResult;
import dev.kvant.onnx.graph.OnnxModel;
import java.util.Map;

/**
 * A graph that was rewritten; its weights are quantized while it is saved.
 *
 * @param prepared the model that it was
 * @param graph the rewritten graph
 * @param weights the quantized weights by the name of the module that they belong to
 * @param notes what else is worth knowing of a module, by its name
 */
record OnnxQuantizedModel(
    PreparedModel prepared,
    OnnxModel graph,
    Map<String, WeightResult> weights,
    Map<String, String> notes)
    implements QuantizedModel {

  @Override
  public QuantizationPlan plan() {
    return prepared.plan();
  }

  @Override
  public void close() {
    // The source model, which the weights are read from, is the caller's.
  }
}
