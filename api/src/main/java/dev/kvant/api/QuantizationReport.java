package dev.kvant.api;

import java.util.List;
import java.util.Objects;

/**
 * The result of a quantization.
 *
 * @param backend the id of the backend
 * @param mode how the model was quantized
 * @param modules one entry for each module of the plan
 * @param operators the operators without weights that compute with quantized values, and those that
 *     could and do not
 * @param warnings all differences from the configuration, the plan's warnings first
 * @param requirements what the artifacts require of the place where they run; empty where the
 *     backend does not say
 * @since 0.1.0
 */
public record QuantizationReport(
    String backend,
    QuantizationMode mode,
    List<ModuleReport> modules,
    List<OperatorReport> operators,
    List<QuantizationWarning> warnings,
    List<Requirement> requirements) {

  public QuantizationReport {
    Objects.requireNonNull(backend, "backend");
    Objects.requireNonNull(mode, "mode");
    modules = List.copyOf(modules);
    operators = List.copyOf(operators);
    warnings = List.copyOf(warnings);
    requirements = List.copyOf(requirements);
  }

  /** A report that says nothing of operators without weights, nor what the artifacts require. */
  public QuantizationReport(
      String backend,
      QuantizationMode mode,
      List<ModuleReport> modules,
      List<QuantizationWarning> warnings) {
    this(backend, mode, modules, List.of(), warnings, List.of());
  }

  /** A report that says nothing of operators without weights. */
  public QuantizationReport(
      String backend,
      QuantizationMode mode,
      List<ModuleReport> modules,
      List<QuantizationWarning> warnings,
      List<Requirement> requirements) {
    this(backend, mode, modules, List.of(), warnings, requirements);
  }

  /** The same report with other entries for modules. */
  public QuantizationReport withModules(List<ModuleReport> others) {
    return new QuantizationReport(backend, mode, others, operators, warnings, requirements);
  }

  /** The same report with other warnings. */
  public QuantizationReport withWarnings(List<QuantizationWarning> others) {
    return new QuantizationReport(backend, mode, modules, operators, others, requirements);
  }
}
