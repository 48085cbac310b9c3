package dev.kvant.runtime.plan;

import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.TensorDescription;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Tells which tied weights come apart, because the modules that share them are decided otherwise.
 */
final class TiedWeights {

  private TiedWeights() {}

  static List<QuantizationWarning> warnings(
      List<ModuleDescription> modules, List<ModuleDecision> decisions) {
    Map<String, ModuleDecision> decisionByModule =
        decisions.stream()
            .collect(Collectors.toMap(ModuleDecision::module, Function.identity(), (a, b) -> a));
    Map<String, Set<ModuleDecision>> sharers = new LinkedHashMap<>();
    for (ModuleDescription module : modules) {
      ModuleDecision decision = decisionByModule.get(module.name());
      for (TensorDescription tensor : module.tensors()) {
        if (decision != null && canBeQuantized(tensor)) {
          sharers.computeIfAbsent(tensor.storage(), key -> new LinkedHashSet<>()).add(decision);
        }
      }
    }
    List<QuantizationWarning> warnings = new ArrayList<>();
    for (Set<ModuleDecision> sharing : sharers.values()) {
      if (sharing.stream().map(decision -> outcome(decision.weights())).distinct().count() > 1) {
        warnings.add(warning(sharing));
      }
    }
    return warnings;
  }

  /** A vector, such as a bias, stays as it is and stays tied. */
  private static boolean canBeQuantized(TensorDescription tensor) {
    return tensor.elementType().isFloatingPoint() && tensor.shape().size() > 1;
  }

  /** What the stored weight depends on: all that is equal here may stay tied. */
  private static List<Object> outcome(OperandDecision weights) {
    return weights.isQuantized()
        ? List.of(weights.dtype(), weights.nativeIn(), weights.settings())
        : List.of(weights.dtype());
  }

  private static QuantizationWarning warning(Set<ModuleDecision> sharing) {
    String each =
        sharing.stream()
            .map(decision -> decision.module() + " (" + decision.weights().dtype() + ")")
            .collect(Collectors.joining(" and "));
    return new QuantizationWarning(
        QuantizationWarning.Kind.UNTIED,
        each + " share one weight and are decided differently, so each gets its own",
        null,
        sharing.stream().map(ModuleDecision::module).toList());
  }
}
