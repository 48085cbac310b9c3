package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.RuleReference;
import dev.kvant.cli.output.Screen;
import dev.kvant.report.StoredModules;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ModuleTableTest {

  @Test
  void a_reason_that_both_operands_have_is_told_once() {
    assertThat(notes(refused("no kernel for it"), refused("no kernel for it")))
        .containsExactly("note 1: no kernel for it");
  }

  @Test
  void reasons_that_differ_are_both_told() {
    assertThat(notes(refused("no kernel for it"), refused("nobody calls it")))
        .containsExactly("note 1: no kernel for it; activations: nobody calls it");
    assertThat(notes(OperandDecision.untouched(), refused("nobody calls it")))
        .containsExactly("note 1: activations: nobody calls it");
  }

  private static OperandDecision refused(String reason) {
    return new OperandDecision(
        Dtype.NATIVE,
        Dtype.INT8,
        RuleReference.layer(0, "*"),
        List.of(),
        reason,
        Map.of(),
        OperandSettings.DEFAULT);
  }

  private static List<String> notes(OperandDecision weights, OperandDecision activations) {
    var plan =
        new QuantizationPlan(
            "text",
            QuantizationMode.STATIC_PTQ,
            List.of(new ModuleDecision("fc", "Linear", false, weights, activations)),
            List.of());
    var text = new StringWriter();
    ModuleTable.ofPlan(plan, new StoredModules(List.of()), true)
        .print(new Screen(new PrintWriter(text), false, false, true, Screen.UNLIMITED));
    return text.toString().lines().filter(line -> line.startsWith("note")).toList();
  }
}
