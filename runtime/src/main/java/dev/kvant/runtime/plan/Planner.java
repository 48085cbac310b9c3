package dev.kvant.runtime.plan;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Internal;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.QuantizationBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Makes plans for one configuration: decides for every module that has weights, and for operators
 * without weights that rules name, by the rules and by what the backend can quantize.
 *
 * @since 0.1.0
 */
@Internal
public final class Planner {

  private final ModelQuantizationConfig config;
  private final QuantizationMode mode;
  private final QuantizationBackend backend;

  /**
   * @param config a configuration that was validated, with its mode filled in
   * @param backend the backend that it names
   */
  public Planner(ModelQuantizationConfig config, QuantizationBackend backend) {
    this.config = Objects.requireNonNull(config, "config");
    this.mode = Objects.requireNonNull(config.mode(), "config.mode");
    this.backend = Objects.requireNonNull(backend, "backend");
  }

  /**
   * The format among a backend's that a model has, or else the first that it stands for; empty if
   * the backend does not read such models.
   */
  public static Optional<String> readableAs(QuantizableModel model, BackendDescriptor descriptor) {
    return descriptor.formats().contains(model.format())
        ? Optional.of(model.format())
        : model.compatibleFormats().stream().filter(descriptor.formats()::contains).findFirst();
  }

  /**
   * The plan for a model.
   *
   * @throws InvalidConfigurationException if a rule asks for a granularity that a module cannot
   *     have, or, under {@code strict}, has no effect on the model
   */
  public QuantizationPlan plan(QuantizableModel model) {
    List<ModuleDescription> operators = model.operators();
    Set<String> names = ModuleSelector.names(model.modules());
    names.addAll(ModuleSelector.names(operators));
    ModuleClasses classes = new ModuleClasses(config.moduleClasses(), names);
    List<ModuleDescription> modules = model.modules().stream().map(classes::applyTo).toList();
    String format = readableAs(model, backend.descriptor()).orElse(model.format());
    Rules rules = new Rules(config, mode, backend, format, names);
    RuleEffects effects =
        new RuleEffects(config.layers(), modules, operators, names, () -> model.tensors().keySet());
    List<ModuleDecision> decisions = new ArrayList<>();
    for (ModuleDescription module : modules) {
      if (module.hasWeights()) {
        decisions.add(
            new ModuleDecision(
                module.name(),
                module.type(),
                module.typesInferred(),
                rules.decide(module, Operand.WEIGHTS, effects),
                rules.decide(module, Operand.ACTIVATIONS, effects)));
      }
    }
    List<ModuleDecision> steered =
        operators.stream().flatMap(each -> rules.steer(each, effects).stream()).toList();
    List<QuantizationWarning> warnings = new ArrayList<>();
    List<ConfigurationProblem> problems = new ArrayList<>(rules.problems());
    NothingQuantized.askedFor(config).ifPresent(problems::add);
    if (config.strict()) {
      problems.addAll(effects.withoutEffect());
    }
    if (!problems.isEmpty()) {
      throw new InvalidConfigurationException(problems);
    }
    warnings.addAll(effects.warnings(decisions));
    warnings.addAll(classes.warnings());
    warnings.addAll(SkipNames.warnings(config.skipNames(), modules, operators, names));
    warnings.addAll(TiedWeights.warnings(modules, decisions));
    weightsAlone(decisions).ifPresent(warnings::add);
    if (decisions.stream().noneMatch(ModuleDecision::isQuantized)) {
      warnings.add(
          new QuantizationWarning(
              QuantizationWarning.Kind.OTHER,
              "nothing is quantized: "
                  + (effects.isWeightless()
                      ? effects.whyWeightless()
                      : new NothingQuantized(config, decisions).reason()),
              null,
              List.of()));
    }
    return new QuantizationPlan(backend.descriptor().id(), mode, decisions, steered, warnings);
  }

  /** With data a run says that it does not use them; a mode without data would say nothing. */
  private Optional<QuantizationWarning> weightsAlone(List<ModuleDecision> decisions) {
    ModeDescriptor abilities = backend.descriptor().modes().get(mode);
    boolean isForActivations =
        abilities != null
            && abilities.calibration() == ModeDescriptor.Calibration.NONE
            && !abilities.activations().isEmpty();
    boolean areAskedFor =
        !config.defaultActivationDtype().isNative()
            || config.layers().stream().anyMatch(layer -> layer.activations() != null);
    if (!isForActivations
        || areAskedFor
        || decisions.stream().noneMatch(ModuleDecision::isQuantized)) {
      return Optional.empty();
    }
    return Optional.of(
        new QuantizationWarning(
            QuantizationWarning.Kind.OTHER,
            "mode %s quantizes activations too, but neither a default nor a rule gives them a dtype, so only weights are quantized; set default_activation_dtype"
                .formatted(mode),
            null,
            List.of()));
  }
}
