package dev.kvant.api;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * One decision for each module with weights, made once from the configuration and the module names.
 * Every backend follows it.
 *
 * @param backend the id of the backend
 * @param mode how the model is quantized
 * @param modules the decisions, in the model's order
 * @param operators the decisions on operators without weights for which rules or {@code skip_names}
 *     ask for something else than what the backend does on its own, in the model's order; their
 *     weights are untouched
 * @param warnings requests of the configuration that will not be met
 * @since 0.1.0
 */
public record QuantizationPlan(
    String backend,
    QuantizationMode mode,
    List<ModuleDecision> modules,
    List<ModuleDecision> operators,
    List<QuantizationWarning> warnings) {

  public QuantizationPlan {
    Objects.requireNonNull(backend, "backend");
    Objects.requireNonNull(mode, "mode");
    modules = IndexedDecisions.copyOf(modules);
    operators = List.copyOf(operators);
    warnings = List.copyOf(warnings);
  }

  /** A plan that says nothing of operators without weights. */
  public QuantizationPlan(
      String backend,
      QuantizationMode mode,
      List<ModuleDecision> modules,
      List<QuantizationWarning> warnings) {
    this(backend, mode, modules, List.of(), warnings);
  }

  /** The decision on the module of that qualified name; found in constant time. */
  public Optional<ModuleDecision> module(String name) {
    return IndexedDecisions.copyOf(modules).find(Objects.requireNonNull(name, "name"));
  }

  /** The decisions that quantize something, in the model's order. */
  public List<ModuleDecision> quantized() {
    return modules.stream().filter(ModuleDecision::isQuantized).toList();
  }
}
