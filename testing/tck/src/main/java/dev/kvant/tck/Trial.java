package dev.kvant.tck;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.RuleReference;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * One way to quantize one sample.
 *
 * @param backend what quantizes
 * @param sample the model
 * @param mode how
 * @param config asks for one dtype everywhere, by default
 */
record Trial(
    QuantizationBackend backend,
    SampleModel sample,
    QuantizationMode mode,
    ModelQuantizationConfig config) {

  /** The same with an option of the backend set. */
  Trial with(String option, Object value) {
    return new Trial(backend, sample, mode, config.toBuilder().backendKwarg(option, value).build());
  }

  /** Whether the mode uses data. */
  boolean calibrates() {
    ModeDescriptor abilities = backend.descriptor().modes().get(mode);
    return abilities != null && abilities.calibrates();
  }

  /** Quantizes all that the backend supports. */
  QuantizationPlan plan(QuantizableModel model) {
    return plan(model, module -> true, List.of());
  }

  /**
   * Quantizes the selected modules, as far as the backend supports them.
   *
   * @param wanted selects the modules
   * @param warnings what the plan has to say
   */
  QuantizationPlan plan(
      QuantizableModel model,
      Predicate<ModuleDescription> wanted,
      List<QuantizationWarning> warnings) {
    QuantizableModel prepared =
        backend.prepare(model, RunContext.builder(config, backend.descriptor()).build());
    List<ModuleDecision> decisions =
        prepared.modules().stream()
            .filter(ModuleDescription::hasWeights)
            .map(module -> decide(prepared, module, wanted.test(module)))
            .toList();
    return new QuantizationPlan(backend.descriptor().id(), mode, decisions, warnings);
  }

  private ModuleDecision decide(QuantizableModel model, ModuleDescription module, boolean wanted) {
    return new ModuleDecision(
        module.name(),
        module.type(),
        module.typesInferred(),
        wanted ? decide(model, module, Operand.WEIGHTS) : OperandDecision.untouched(),
        wanted ? decide(model, module, Operand.ACTIVATIONS) : OperandDecision.untouched());
  }

  private OperandDecision decide(
      QuantizableModel model, ModuleDescription module, Operand operand) {
    Dtype dtype = config.defaultDtype(operand);
    if (dtype.isNative()) {
      return OperandDecision.untouched();
    }
    Support support =
        backend.supports(new SupportQuery(module, operand, dtype, null, model.format(), config));
    if (support instanceof Support.No) {
      return OperandDecision.untouched();
    }
    return new OperandDecision(
        dtype,
        dtype,
        RuleReference.defaults(),
        List.of(),
        null,
        support instanceof Support.Partly partly ? partly.nativeIn() : Map.of(),
        new OperandSettings(null, config.algorithm(), Map.of()));
  }

  @Override
  public String toString() {
    String activations =
        config.defaultActivationDtype().isNative()
            ? ""
            : " with activations in " + config.defaultActivationDtype();
    String options =
        config.backendKwargs().isEmpty() ? "" : " with the options " + config.backendKwargs();
    return "%s to %s%s in %s%s"
        .formatted(sample, config.defaultLayerDtype(), activations, mode, options);
  }
}
