package dev.kvant.runtime.plan;

import dev.kvant.api.Internal;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.QuantizationPlan;
import java.util.List;
import java.util.function.Predicate;

/**
 * Plans that quantize some of the modules of another plan.
 *
 * @since 0.1.0
 */
@Internal
public final class PartialPlan {

  private PartialPlan() {}

  /**
   * A plan in which all other modules stay native.
   *
   * @param plan the plan with all modules
   * @param kept whether a module of it is quantized as before; asked of quantized ones only
   */
  public static QuantizationPlan of(QuantizationPlan plan, Predicate<ModuleDecision> kept) {
    return new QuantizationPlan(
        plan.backend(),
        plan.mode(),
        plan.modules().stream()
            .map(
                decision ->
                    !decision.isQuantized() || kept.test(decision) ? decision : untouched(decision))
            .toList(),
        plan.operators(),
        List.of());
  }

  private static ModuleDecision untouched(ModuleDecision decision) {
    return new ModuleDecision(
        decision.module(),
        decision.type(),
        decision.typeInferred(),
        OperandDecision.untouched(),
        OperandDecision.untouched());
  }
}
