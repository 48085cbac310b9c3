package dev.kvant.runtime.tuning;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.runtime.FakeBackend;
import dev.kvant.runtime.FakeModel;
import dev.kvant.runtime.plan.Planner;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Groups of modules")
class ModuleGroupsTest {

  private static QuantizationPlan plan(FakeModel model, String... skipped) {
    ModelQuantizationConfig.Builder config =
        ModelQuantizationConfig.builder()
            .backend("fake")
            .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
            .layer("Linear", Dtype.INT8);
    List.of(skipped).forEach(config::skip);
    return new Planner(config.build(), FakeBackend.weightOnly("fake")).plan(model);
  }

  @Test
  void hold_query_key_and_value_of_one_parent_and_gate_and_up() {
    FakeModel model =
        new FakeModel()
            .with("l0.attn.q_proj", "Linear")
            .with("l0.attn.k_proj", "Linear")
            .with("l0.attn.v_proj", "Linear")
            .with("l0.attn.o_proj", "Linear")
            .with("l0.mlp.gate_proj", "Linear")
            .with("l0.mlp.up_proj", "Linear")
            .with("l0.mlp.down_proj", "Linear")
            .with("l1.attn.q_proj", "Linear")
            .with("l1.attn.k_proj", "Linear");
    assertThat(ModuleGroups.of(plan(model), model, List.of()))
        .containsExactly(
            List.of("l0.attn.q_proj", "l0.attn.k_proj", "l0.attn.v_proj"),
            List.of("l0.attn.o_proj"),
            List.of("l0.mlp.gate_proj", "l0.mlp.up_proj"),
            List.of("l0.mlp.down_proj"),
            List.of("l1.attn.q_proj", "l1.attn.k_proj"));
  }

  @Test
  void hold_what_the_backend_tells_and_join_what_overlaps() {
    FakeModel model =
        new FakeModel()
            .with("a", "Linear")
            .with("b", "Linear")
            .with("c", "Linear")
            .with("d", "Linear");
    assertThat(
            ModuleGroups.of(
                plan(model), model, List.of(List.of("a", "c"), List.of("c", "d", "unknown"))))
        .containsExactly(List.of("a", "c", "d"), List.of("b"));
  }

  @Test
  void leave_out_modules_that_stay_native() {
    FakeModel model = new FakeModel().with("a.query", "Linear").with("a.key", "Linear");
    assertThat(ModuleGroups.of(plan(model, "a.key"), model, List.of(List.of("a.query", "a.key"))))
        .containsExactly(List.of("a.query"));
  }
}
