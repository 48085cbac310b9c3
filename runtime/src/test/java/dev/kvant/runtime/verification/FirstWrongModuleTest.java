package dev.kvant.runtime.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FirstWrongModuleTest {

  @Test
  void finds_the_module_by_halving_whichever_it_is() {
    for (int wrong = 0; wrong < 20; wrong++) {
      String module = "layer" + wrong;
      List<QuantizationPlan> tried = new ArrayList<>();

      assertThat(
              FirstWrongModule.of(
                  plan(20),
                  plan -> {
                    tried.add(plan);
                    return quantizes(plan, module);
                  }))
          .contains(module);
      assertThat(tried).hasSizeLessThanOrEqualTo(6);
    }
  }

  @Test
  void keeps_all_modules_in_every_plan() {
    FirstWrongModule.of(
        plan(4),
        plan -> {
          assertThat(plan.modules()).hasSize(5);
          return quantizes(plan, "layer2");
        });
  }

  @Test
  void blames_none_where_a_plan_that_quantizes_nothing_is_wrong() {
    assertThat(FirstWrongModule.of(plan(4), plan -> true)).isEmpty();
  }

  private static boolean quantizes(QuantizationPlan plan, String module) {
    return plan.module(module).map(ModuleDecision::isQuantized).orElse(false);
  }

  /** So many modules that are quantized, and one that is not. */
  private static QuantizationPlan plan(int quantized) {
    OperandDecision int8 =
        new OperandDecision(
            Dtype.INT8, Dtype.INT8, null, List.of(), null, Map.of(), OperandSettings.DEFAULT);
    List<ModuleDecision> modules = new ArrayList<>();
    modules.add(
        new ModuleDecision(
            "embed", "Embedding", false, OperandDecision.untouched(), OperandDecision.untouched()));
    IntStream.range(0, quantized)
        .forEach(
            i ->
                modules.add(
                    new ModuleDecision(
                        "layer" + i, "Linear", false, int8, OperandDecision.untouched())));
    return new QuantizationPlan("fake", QuantizationMode.WEIGHT_ONLY_PTQ, modules, List.of());
  }
}
