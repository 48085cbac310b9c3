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
 * @param warnings requests of the configuration that will not be met
 * @since 0.1.0
 */
public record QuantizationPlan(
    String backend,
    QuantizationMode mode,
    List<ModuleDecision> modules,
    List<QuantizationWarning> warnings) {

  public QuantizationPlan {
    Objects.requireNonNull(backend, "backend");
    Objects.requireNonNull(mode, "mode");
    modules = IndexedDecisions.copyOf(modules);
    warnings = List.copyOf(warnings);
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
