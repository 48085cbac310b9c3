package dev.kvant.kit;

import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationException;
import dev.kvant.api.QuantizationPlan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A module that a plan quantizes.
 *
 * @param decision what is planned
 * @param module the module
 * @since 0.1.0
 */
public record DecidedModule(ModuleDecision decision, ModuleDescription module) {

  public DecidedModule {
    Objects.requireNonNull(decision, "decision");
    Objects.requireNonNull(module, "module");
  }

  /**
   * The modules that a plan quantizes, in the plan's order.
   *
   * @throws QuantizationException if the plan is not for the model
   */
  public static List<DecidedModule> of(QuantizableModel model, QuantizationPlan plan) {
    Map<String, ModuleDescription> modules = new HashMap<>();
    model.modules().forEach(module -> modules.put(module.name(), module));
    List<DecidedModule> planned = new ArrayList<>();
    for (ModuleDecision decision : plan.quantized()) {
      ModuleDescription module = modules.get(decision.module());
      if (module == null) {
        throw missing(model, decision);
      }
      planned.add(new DecidedModule(decision, module));
    }
    return planned;
  }

  /** The error for a plan that quantizes what a model does not have. */
  public static QuantizationException missing(QuantizableModel model, ModuleDecision decision) {
    return new QuantizationException(
        "the plan quantizes module '%s', which %s has not; prepare the model again"
            .formatted(decision.module(), model.source()));
  }

  /** The qualified name. */
  public String name() {
    return decision.module();
  }
}
