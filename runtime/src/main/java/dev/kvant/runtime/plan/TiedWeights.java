package dev.kvant.runtime.plan;

import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.TensorDescription;
import java.util.ArrayList;
import java.util.HashMap;
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
    Map<String, Long> bytes = new HashMap<>();
    for (ModuleDescription module : modules) {
      ModuleDecision decision = decisionByModule.get(module.name());
      for (TensorDescription tensor : module.tensors()) {
        if (decision != null && canBeQuantized(tensor)) {
          sharers.computeIfAbsent(tensor.storage(), key -> new LinkedHashSet<>()).add(decision);
          bytes.merge(tensor.storage(), tensor.bytes(), Math::max);
        }
      }
    }
    List<QuantizationWarning> warnings = new ArrayList<>();
    sharers.forEach(
        (storage, sharing) -> {
          long copies =
              sharing.stream().map(decision -> outcome(decision.weights())).distinct().count() - 1;
          if (copies > 0) {
            warnings.add(warning(sharing, copies * bytes.getOrDefault(storage, 0L)));
          }
        });
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

  /**
   * @param growth how many bytes larger an artifact is that holds all copies as they were; those of
   *     quantized weights may be smaller
   */
  private static QuantizationWarning warning(Set<ModuleDecision> sharing, long growth) {
    String each =
        sharing.stream()
            .map(decision -> decision.module() + " (" + decision.weights().dtype() + ")")
            .collect(Collectors.joining(" and "));
    return new QuantizationWarning(
        QuantizationWarning.Kind.UNTIED,
        "%s share one weight and are decided differently, so each gets its own, and artifacts grow by up to %d bytes; decide them alike to keep one"
            .formatted(each, growth),
        null,
        sharing.stream().map(ModuleDecision::module).toList());
  }
}
