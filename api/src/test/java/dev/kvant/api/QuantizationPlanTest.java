package dev.kvant.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class QuantizationPlanTest {

  private static ModuleDecision decision(String module, String type) {
    return new ModuleDecision(
        module, type, false, OperandDecision.untouched(), OperandDecision.untouched());
  }

  private static QuantizationPlan plan(List<ModuleDecision> modules) {
    return new QuantizationPlan("fake", QuantizationMode.WEIGHT_ONLY_PTQ, modules, List.of());
  }

  @Test
  void finds_modules_by_name_and_keeps_their_order() {
    List<ModuleDecision> modules =
        List.of(decision("b", "Linear"), decision("a", "Conv2d"), decision("b", "Embedding"));
    QuantizationPlan plan = plan(modules);

    assertThat(plan.modules()).isEqualTo(modules).hasSameHashCodeAs(modules);
    assertThat(plan.module("a")).contains(modules.get(1));
    assertThat(plan.module("b")).contains(modules.get(0));
    assertThat(plan.module("c")).isEmpty();
    assertThat(plan).isEqualTo(plan(new ArrayList<>(modules)));
  }

  @Test
  void its_modules_cannot_be_changed() {
    List<ModuleDecision> modules = new ArrayList<>(List.of(decision("a", "Linear")));
    QuantizationPlan plan = plan(modules);
    modules.clear();

    assertThat(plan.modules()).hasSize(1);
    assertThatThrownBy(() -> plan.modules().remove(0))
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  @Timeout(10)
  void a_hundred_thousand_modules_are_found_in_linear_time() {
    List<ModuleDecision> modules = new ArrayList<>();
    for (int i = 0; i < 100_000; i++) {
      modules.add(decision("module." + i, "Linear"));
    }
    QuantizationPlan plan = plan(modules);

    long start = System.nanoTime();
    for (ModuleDecision module : modules) {
      assertThat(plan.module(module.module())).containsSame(module);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
  }
}
