package dev.kvant.runtime.verification;

import dev.kvant.api.Internal;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.runtime.plan.PartialPlan;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Finds the module at which a plan begins to go wrong, by halving.
 *
 * @since 0.1.0
 */
@Internal
public final class FirstWrongModule {

  private FirstWrongModule() {}

  /**
   * The first module without which the plan would be right: quantizing all before it is right, and
   * quantizing it as well is not. Empty if a plan that quantizes nothing is wrong already.
   *
   * @param plan a plan that is wrong
   * @param isWrong whether a plan that quantizes fewer modules is
   */
  public static Optional<String> of(QuantizationPlan plan, Predicate<QuantizationPlan> isWrong) {
    List<ModuleDecision> quantized = plan.quantized();
    if (quantized.isEmpty() || isWrong.test(first(plan, quantized, 0))) {
      return Optional.empty();
    }
    int right = 0;
    int wrong = quantized.size();
    while (wrong - right > 1) {
      int middle = (right + wrong) / 2;
      if (isWrong.test(first(plan, quantized, middle))) {
        wrong = middle;
      } else {
        right = middle;
      }
    }
    return Optional.of(quantized.get(wrong - 1).module());
  }

  private static QuantizationPlan first(
      QuantizationPlan plan, List<ModuleDecision> quantized, int count) {
    return PartialPlan.of(plan, quantized.subList(0, count)::contains);
  }
}
