package dev.kvant.kit;

import dev.kvant.api.Distribution;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.OperatorReport;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.Requirement;
import dev.kvant.api.TensorDescription;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Collects what a run did to each module of its plan. What nothing is said about is reported as it
 * was planned, at the size that it had.
 *
 * @since 0.1.0
 */
public final class ReportBuilder {

  private final QuantizationPlan plan;
  private final Map<String, Long> bytes = new HashMap<>();
  private final Map<String, OperandOutcome> weights = new HashMap<>();
  private final Map<String, OperandOutcome> activations = new HashMap<>();
  private final Map<String, Long> saved = new HashMap<>();
  private final Map<String, String> notes = new LinkedHashMap<>();
  private final Map<String, Map<Operand, Distribution>> distributions = new HashMap<>();
  private final List<OperatorReport> operators = new ArrayList<>();
  private final List<QuantizationWarning> warnings;
  private final Set<Requirement> requirements = new LinkedHashSet<>();

  /**
   * Begins a report.
   *
   * @param model the model that was quantized
   * @param plan what was planned for it; its warnings come first in the report
   */
  public ReportBuilder(QuantizableModel model, QuantizationPlan plan) {
    this.plan = plan;
    this.warnings = new ArrayList<>(plan.warnings());
    for (ModuleDescription module : model.modules()) {
      bytes.put(module.name(), module.tensors().stream().mapToLong(TensorDescription::bytes).sum());
    }
  }

  /** Says what was written for the weights of a module. */
  public ReportBuilder weights(String module, OperandOutcome outcome) {
    weights.put(module, outcome);
    return this;
  }

  /** Says what was written for the activations of a module. */
  public ReportBuilder activations(String module, OperandOutcome outcome) {
    activations.put(module, outcome);
    return this;
  }

  /** Says how many bytes smaller the tensors of a module are than they were. */
  public ReportBuilder saved(String module, long fewerBytes) {
    saved.put(module, fewerBytes);
    return this;
  }

  /** Adds something that is worth knowing about a module. */
  public ReportBuilder note(String module, String note) {
    notes.merge(module, note, "%s; %s"::formatted);
    return this;
  }

  /** Says how the values of an operand of a module are distributed. */
  public ReportBuilder distribution(String module, Operand operand, Distribution distribution) {
    distributions
        .computeIfAbsent(module, each -> new EnumMap<>(Operand.class))
        .put(operand, distribution);
    return this;
  }

  /** Says what was done to operators without weights. */
  public ReportBuilder operators(List<OperatorReport> added) {
    operators.addAll(added);
    return this;
  }

  /** Adds warnings about what went otherwise than planned. */
  public ReportBuilder warnings(List<QuantizationWarning> added) {
    warnings.addAll(added);
    return this;
  }

  /** Adds what the artifacts require of the place where they run; each requirement counts once. */
  public ReportBuilder requirements(Collection<Requirement> added) {
    requirements.addAll(added);
    return this;
  }

  /** The report. */
  public QuantizationReport build() {
    return new QuantizationReport(
        plan.backend(),
        plan.mode(),
        plan.modules().stream().map(this::module).toList(),
        operators,
        warnings,
        List.copyOf(requirements));
  }

  private ModuleReport module(ModuleDecision decision) {
    String name = decision.module();
    long before = bytes.getOrDefault(name, 0L);
    ModuleReport.Builder report =
        ModuleReport.builder(decision)
            .bytes(before, before - saved.getOrDefault(name, 0L))
            .note(notes.get(name));
    Optional.ofNullable(weights.get(name)).ifPresent(report::weights);
    Optional.ofNullable(activations.get(name)).ifPresent(report::activations);
    distributions.getOrDefault(name, Map.of()).forEach(report::distribution);
    return report.build();
  }
}
