package dev.kvant.api;

import java.util.List;
import java.util.Objects;

/**
 * The result of a quantization.
 *
 * @param backend the id of the backend
 * @param mode how the model was quantized
 * @param modules one entry for each module of the plan
 * @param warnings all differences from the configuration, the plan's warnings first
 * @param requirements what the artifacts require of the place where they run; empty where the
 *     backend does not say
 * @since 0.1.0
 */
public record QuantizationReport(
    String backend,
    QuantizationMode mode,
    List<ModuleReport> modules,
    List<QuantizationWarning> warnings,
    List<Requirement> requirements) {

  public QuantizationReport {
    Objects.requireNonNull(backend, "backend");
    Objects.requireNonNull(mode, "mode");
    modules = List.copyOf(modules);
    warnings = List.copyOf(warnings);
    requirements = List.copyOf(requirements);
  }

  /** The result of a backend that does not say what its artifacts require. */
  public QuantizationReport(
      String backend,
      QuantizationMode mode,
      List<ModuleReport> modules,
      List<QuantizationWarning> warnings) {
    this(backend, mode, modules, warnings, List.of());
  }
}
