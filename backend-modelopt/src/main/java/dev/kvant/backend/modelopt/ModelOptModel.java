package dev.kvant.backend.modelopt;

import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.QuantizedModel;
import java.util.List;
import java.util.Map;

/**
 * A model whose ranges are known, and that will be quantized while it is saved.
 *
 * @param prepared the model with its plan
 * @param modules the modules that are quantized
 * @param notes what is worth knowing about modules, by name
 * @param warnings what went otherwise than planned
 * @param owner the quantizer that may save it
 */
record ModelOptModel(
    PreparedModel prepared,
    List<ModuleQuantization> modules,
    Map<String, String> notes,
    List<QuantizationWarning> warnings,
    ModelOptQuantizer owner)
    implements QuantizedModel {

  ModelOptModel {
    modules = List.copyOf(modules);
    notes = Map.copyOf(notes);
    warnings = List.copyOf(warnings);
  }

  @Override
  public QuantizationPlan plan() {
    return prepared.plan();
  }

  /** Does nothing: the source model is its owner's. */
  @Override
  public void close() {}
}
