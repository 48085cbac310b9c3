package dev.kvant.runtime.plan;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.RuleReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Says why a plan quantizes nothing of a model that has weights. */
final class NothingQuantized {

  private final ModelQuantizationConfig config;
  private final List<ModuleDecision> decisions;

  /**
   * @param config what was asked for
   * @param decisions what was decided on every module, all of it native
   */
  NothingQuantized(ModelQuantizationConfig config, List<ModuleDecision> decisions) {
    this.config = config;
    this.decisions = decisions;
  }

  /** The problem of a configuration without a rule and without a default. */
  static Optional<ConfigurationProblem> askedFor(ModelQuantizationConfig config) {
    boolean hasDefault =
        Arrays.stream(Operand.values()).anyMatch(each -> !config.defaultDtype(each).isNative());
    return config.layers().isEmpty() && !hasDefault
        ? Optional.of(
            new ConfigurationProblem(
                "quantize.layers",
                "has no rule, and no default has a dtype, so nothing would be quantized; add a rule"
                    + " or set default_layer_dtype"))
        : Optional.empty();
  }

  /** The reasons, as the second half of a sentence. */
  String reason() {
    List<String> reasons = new ArrayList<>();
    if (all().anyMatch(operand -> !operand.overrode().isEmpty())) {
      reasons.add("skip_names and rules with the dtype native exclude what others select");
    }
    if (all().anyMatch(operand -> operand.reason() != null)) {
      reasons.add("what rules select cannot be quantized");
    }
    for (Operand operand : Operand.values()) {
      Dtype dtype = config.defaultDtype(operand);
      if (!dtype.isNative() && !reachesAny(operand)) {
        reasons.add(
            "no module without a rule of its own can have the default, %s %s"
                .formatted(operand.label(), dtype));
      }
    }
    return reasons.isEmpty() ? "no rule or default asks for it" : String.join("; ", reasons);
  }

  /** Whether the default would hold for some module, if nothing came after it. */
  private boolean reachesAny(Operand operand) {
    return decisions.stream()
        .anyMatch(
            decision -> decision.operand(operand).overrode().contains(RuleReference.defaults()));
  }

  private Stream<OperandDecision> all() {
    return decisions.stream()
        .flatMap(decision -> Arrays.stream(Operand.values()).map(decision::operand));
  }
}
