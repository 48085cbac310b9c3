package dev.kvant.runtime.plan;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandQuantizationConfig;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.RuleReference;
import dev.kvant.api.TensorDescription;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Takes one operand of one module through the default, the rules in order, and the skips. */
final class Rules {

  private final ModelQuantizationConfig config;
  private final ModeDescriptor abilities;
  private final QuantizationBackend backend;
  private final String modelFormat;
  private final ModuleSelectors layers;
  private final ModuleSelectors skips;
  private final Granularities granularities = new Granularities();

  Rules(
      ModelQuantizationConfig config,
      QuantizationMode mode,
      QuantizationBackend backend,
      String modelFormat,
      Set<String> names) {
    this.config = config;
    this.abilities = Objects.requireNonNull(backend.descriptor().modes().get(mode), "mode");
    this.backend = backend;
    this.modelFormat = modelFormat;
    this.layers =
        new ModuleSelectors(
            config.layers().stream().map(LayerQuantizationConfig::moduleName).toList(), names);
    this.skips = new ModuleSelectors(config.skipNames(), names);
  }

  /** Decides, and notes the effect of each rule that speaks about the operand. */
  OperandDecision decide(ModuleDescription module, Operand operand, RuleEffects effects) {
    Collection<Integer> matching = layers.selecting(module);
    if (abilities.dtypes(operand).isEmpty()) {
      // Whatever the rules say about it is ignored. Validation has warned of that, and a rule that
      // speaks of nothing else needs no second complaint.
      matching.stream()
          .filter(i -> speaksOnlyOf(operand, config.layers().get(i)))
          .forEach(effects::hasEffect);
      return OperandDecision.untouched();
    }
    Decider decider = new Decider(module, operand);
    decider.applyDefault();
    matching.forEach(i -> decider.applyLayer(i, effects));
    decider.noteSettingsOnlyEffects(effects);
    skips.selecting(module).stream().findFirst().ifPresent(decider::applySkip);
    return decider.decision();
  }

  /**
   * Decides on an operator without weights, where rules ask for something else than what the
   * backend does on its own: that it stays native, or is quantized in another way.
   */
  Optional<ModuleDecision> steer(ModuleDescription operator, RuleEffects effects) {
    OperandDecision decision = decide(operator, Operand.ACTIVATIONS, effects);
    OperandSettings settings = decision.settings();
    boolean hasOwnSettings =
        !settings.algorithm().equals(config.algorithm()) || !settings.algorithmOptions().isEmpty();
    boolean isSteered =
        decision.decidedBy() != null
            && (!decision.isQuantized() || hasOwnSettings)
            && abilities.dtypes(Operand.ACTIVATIONS).stream()
                .anyMatch(dtype -> isSupported(operator, dtype));
    return isSteered
        ? Optional.of(
            new ModuleDecision(
                operator.name(), operator.type(), false, OperandDecision.untouched(), decision))
        : Optional.empty();
  }

  private boolean isSupported(ModuleDescription operator, Dtype dtype) {
    return !(backend.supports(
            new SupportQuery(operator, Operand.ACTIVATIONS, dtype, null, modelFormat, config))
        instanceof Support.No);
  }

  /** What rules ask of modules that these cannot have, once all modules were decided. */
  List<ConfigurationProblem> problems() {
    return granularities.problems();
  }

  private static boolean speaksOnlyOf(Operand operand, LayerQuantizationConfig layer) {
    for (Operand other : Operand.values()) {
      if ((layer.operand(other) != null) != (other == operand)) {
        return false;
      }
    }
    return true;
  }

  /** The state of one operand on its way through the rules. */
  private final class Decider {

    private final ModuleDescription module;
    private final Operand operand;
    private final Map<Dtype, Support> supportByDtype = new HashMap<>();
    private Granularities.@Nullable Asked granularity;
    private final List<Integer> settingsOnly = new ArrayList<>();
    private final List<Asked> asked = new ArrayList<>();
    private OperandSettings settings = new OperandSettings(null, config.algorithm(), Map.of());

    Decider(ModuleDescription module, Operand operand) {
      this.module = module;
      this.operand = operand;
    }

    /** A default reaches only what can be quantized, and says nothing about the rest. */
    void applyDefault() {
      Dtype dtype = config.defaultDtype(operand);
      if (!dtype.isNative() && isSupported(dtype)) {
        asked.add(new Asked(dtype, RuleReference.defaults()));
      }
    }

    void applyLayer(int index, RuleEffects effects) {
      LayerQuantizationConfig layer = config.layers().get(index);
      OperandQuantizationConfig part = layer.operand(operand);
      if (part == null) {
        return;
      }
      applySettings(index, part);
      Dtype dtype = part.dtype();
      if (dtype == null) {
        settingsOnly.add(index);
        return;
      }
      asked.add(new Asked(dtype, RuleReference.layer(index, layer.moduleName())));
      if (dtype.isNative() || isSupported(dtype)) {
        effects.hasEffect(index);
      } else {
        effects.cannotBeQuantized(index, module, reason(support(dtype)));
      }
    }

    private void applySettings(int index, OperandQuantizationConfig part) {
      Granularities.Asked asked = Granularities.Asked.by(index, part);
      if (asked != null) {
        granularity = asked;
      }
      String observer = part.observerOrFakeQuant();
      if (observer != null) {
        // Options belong to the algorithm that they were written for.
        settings =
            new OperandSettings(
                null, CalibrationAlgorithm.of(observer), part.observerOrFakeQuantKwargs());
      }
    }

    /** A rule without a dtype works through the dtype that another one asks for. */
    void noteSettingsOnlyEffects(RuleEffects effects) {
      if (asked.stream().anyMatch(one -> !one.dtype().isNative() && isSupported(one.dtype()))) {
        settingsOnly.forEach(effects::hasEffect);
      }
    }

    void applySkip(int index) {
      asked.add(new Asked(Dtype.NATIVE, RuleReference.skip(index, config.skipNames().get(index))));
    }

    OperandDecision decision() {
      if (asked.isEmpty()) {
        return OperandDecision.untouched();
      }
      Asked last = asked.get(asked.size() - 1);
      List<RuleReference> overrode =
          asked.stream().filter(one -> !one.dtype().equals(last.dtype())).map(Asked::by).toList();
      if (last.dtype().isNative()) {
        return new OperandDecision(
            Dtype.NATIVE,
            Dtype.NATIVE,
            last.by(),
            overrode,
            null,
            Map.of(),
            OperandSettings.DEFAULT);
      }
      Support support = support(last.dtype());
      Granularity shared = null;
      if (granularity != null && !(support instanceof Support.No)) {
        shared = granularities.resolve(granularity, module, operand);
        support = support(last.dtype(), shared);
        if (support instanceof Support.No no) {
          granularities.refused(granularity, module, operand, no.reason());
        }
      }
      return new OperandDecision(
          support instanceof Support.No ? Dtype.NATIVE : last.dtype(),
          last.dtype(),
          last.by(),
          overrode,
          support instanceof Support.No no ? no.reason() : null,
          support instanceof Support.Partly partly ? partly.nativeIn() : Map.of(),
          new OperandSettings(shared, settings.algorithm(), settings.algorithmOptions()));
    }

    private boolean isSupported(Dtype dtype) {
      return !(support(dtype) instanceof Support.No);
    }

    private Support support(Dtype dtype) {
      return supportByDtype.computeIfAbsent(dtype, key -> support(key, null));
    }

    private Support support(Dtype dtype, @Nullable Granularity shared) {
      Optional<TensorDescription> empty =
          module.weight().filter(weight -> weight.shape().contains(0L));
      if (empty.isPresent()) {
        return Support.no("its weight is empty, shape %s".formatted(empty.get().shape()));
      }
      return backend.supports(
          new SupportQuery(module, operand, dtype, shared, modelFormat, config));
    }

    private static String reason(Support support) {
      return support instanceof Support.No no ? no.reason() : "";
    }
  }

  /** A dtype and who asked for it. */
  private record Asked(Dtype dtype, RuleReference by) {}
}
