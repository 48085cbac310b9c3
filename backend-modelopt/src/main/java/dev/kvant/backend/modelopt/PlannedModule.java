package dev.kvant.backend.modelopt;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationException;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.kit.DecidedModule;
import dev.kvant.numerics.observer.Grid;
import java.util.ArrayList;
import java.util.List;

/**
 * A module that the plan quantizes.
 *
 * @param decision what is planned
 * @param module the module
 * @param kind what it is
 */
record PlannedModule(ModuleDecision decision, ModuleDescription module, ModuleKind kind) {

  /**
   * All modules that a plan quantizes.
   *
   * @throws QuantizationException if the plan is not for the model
   */
  static List<PlannedModule> of(QuantizableModel model, QuantizationPlan plan) {
    List<PlannedModule> planned = new ArrayList<>();
    for (DecidedModule decided : DecidedModule.of(model, plan)) {
      ModuleKind kind =
          ModuleKind.of(decided.module().types())
              .orElseThrow(() -> DecidedModule.missing(model, decided.decision()));
      planned.add(new PlannedModule(decided.decision(), decided.module(), kind));
    }
    return planned;
  }

  /** The qualified name. */
  String name() {
    return module.name();
  }

  /** Whether its input is to be quantized. */
  boolean quantizesInput() {
    return decision.activations().isQuantized();
  }

  /** What an operand is quantized to. */
  static Grid grid(OperandDecision decision) {
    if (decision.dtype().equals(Dtype.INT8)) {
      return Grid.INT8_SYMMETRIC;
    }
    return decision.dtype().equals(Dtype.FP8_E4M3FN) ? Grid.FLOAT8_E4M3FN : Grid.FLOAT8_E5M2;
  }
}
