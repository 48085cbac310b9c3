package dev.kvant.cli;

import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.RuleReference;
import dev.kvant.cli.output.JsonDocument;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Plans and reports for programs. */
final class PlanDocument {

  private PlanDocument() {}

  /** What a plan will do to each module. */
  static JsonDocument of(QuantizationPlan plan, StoredModules stored) {
    return new JsonDocument()
        .put("backend", plan.backend())
        .put("mode", plan.mode())
        .put(
            "modules", plan.modules().stream().map(decision -> decision(decision, stored)).toList())
        .put("warnings", warnings(plan.warnings()));
  }

  /** What was done to each module. */
  static JsonDocument of(QuantizationReport report, StoredModules stored) {
    return new JsonDocument()
        .put("backend", report.backend())
        .put("mode", report.mode())
        .put("modules", report.modules().stream().map(module -> module(module, stored)).toList())
        .put("warnings", warnings(report.warnings()));
  }

  private static JsonDocument module(ModuleReport report, StoredModules stored) {
    Double sqnr = report.sqnrDecibels();
    return decision(report.decision(), stored)
        .put("bytes_before", report.bytesBefore())
        .put("bytes_after", report.bytesAfter())
        .put("sqnr_db", sqnr)
        .put("lossless", sqnr != null && sqnr == Double.POSITIVE_INFINITY)
        .put("note", report.note());
  }

  private static JsonDocument decision(ModuleDecision decision, StoredModules stored) {
    return new JsonDocument()
        .put("module", decision.module())
        .put("class", decision.type())
        .put("class_inferred", decision.typeInferred())
        .put("stored_dtype", stored.elementType(decision.module()))
        .put("bytes_before", stored.bytes(decision.module()))
        .put("weights", operand(decision.weights()))
        .put("activations", operand(decision.activations()));
  }

  private static JsonDocument operand(OperandDecision decision) {
    return new JsonDocument()
        .put("dtype", decision.dtype())
        .put("requested", decision.requested())
        .put("decided_by", rule(decision.decidedBy()))
        .put("overrode", decision.overrode().stream().map(PlanDocument::rule).toList())
        .put("reason", decision.reason())
        .put("native_in", decision.nativeIn())
        .put("quant_axis", decision.settings().quantAxis())
        .put("algorithm", decision.settings().algorithm())
        .put("algorithm_options", decision.settings().algorithmOptions());
  }

  private static @Nullable JsonDocument rule(@Nullable RuleReference rule) {
    return rule == null
        ? null
        : new JsonDocument()
            .put("kind", rule.kind().name().toLowerCase(Locale.ROOT))
            .put("index", rule.index() < 0 ? null : Integer.valueOf(rule.index()))
            .put("pattern", rule.pattern());
  }

  private static List<JsonDocument> warnings(List<QuantizationWarning> warnings) {
    return warnings.stream()
        .map(
            warning ->
                new JsonDocument()
                    .put("kind", warning.kind().name().toLowerCase(Locale.ROOT))
                    .put("message", warning.message())
                    .put("rule", rule(warning.rule()))
                    .put("modules", warning.modules()))
        .toList();
  }
}
