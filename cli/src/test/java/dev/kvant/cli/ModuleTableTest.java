package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.OperatorReport;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
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

  @Test
  void operators_without_weights_share_a_line_for_each_result() {
    OperandOutcome quantized = OperandOutcome.quantized(Dtype.INT8, Granularity.TENSOR, null);
    OperandOutcome slower = OperandOutcome.leftNative("slower in int8");
    var report =
        new QuantizationReport(
            "text",
            QuantizationMode.STATIC_PTQ,
            List.of(
                ModuleReport.builder(fc(OperandDecision.untouched(), OperandDecision.untouched()))
                    .build()),
            List.of(
                new OperatorReport("Mul", slower, List.of("m1", "m2", "m3")),
                new OperatorReport("Add", quantized, List.of("a1", "a2")),
                new OperatorReport("Add", slower, List.of("a3")),
                new OperatorReport("Concat", quantized, List.of("c1"))),
            List.of(),
            List.of());

    assertThat(text(ModuleTable.ofReport(report, new StoredModules(List.of()), true)))
        .endsWith(
            """

            Operators without weights:
            int8: 2 Add, 1 Concat
            native: 1 Add, 3 Mul: slower in int8
            """);
  }

  @Test
  void a_plan_names_the_rule_that_keeps_operators_native() {
    OperandDecision skipped =
        new OperandDecision(
            Dtype.NATIVE,
            Dtype.NATIVE,
            RuleReference.skip(1, "Add"),
            List.of(),
            null,
            Map.of(),
            OperandSettings.DEFAULT);
    var plan =
        new QuantizationPlan(
            "text",
            QuantizationMode.STATIC_PTQ,
            List.of(fc(OperandDecision.untouched(), OperandDecision.untouched())),
            List.of(
                new ModuleDecision("a", "Add", false, OperandDecision.untouched(), skipped),
                new ModuleDecision("b", "Add", false, OperandDecision.untouched(), skipped)),
            List.of());

    assertThat(text(ModuleTable.ofPlan(plan, new StoredModules(List.of()), true)))
        .endsWith(
            """

            Operators without weights:
            native: 2 Add: by skip_names[1] 'Add'
            """);
  }

  private static ModuleDecision fc(OperandDecision weights, OperandDecision activations) {
    return new ModuleDecision("fc", "Linear", false, weights, activations);
  }

  private static String text(ModuleTable table) {
    var text = new StringWriter();
    table.print(new Screen(new PrintWriter(text), false, false, true, Screen.UNLIMITED));
    return text.toString();
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
            "text", QuantizationMode.STATIC_PTQ, List.of(fc(weights, activations)), List.of());
    return text(ModuleTable.ofPlan(plan, new StoredModules(List.of()), true))
        .lines()
        .filter(line -> line.startsWith("note"))
        .toList();
  }
}
