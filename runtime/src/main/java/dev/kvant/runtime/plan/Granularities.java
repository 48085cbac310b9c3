package dev.kvant.runtime.plan;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandQuantizationConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads from rules which values share a scale, and collects the problems of modules that cannot
 * have what a rule asks for: one problem for each rule and reason, with the modules.
 */
final class Granularities {

  /**
   * What a rule asks for.
   *
   * @param granularity what it asks for
   * @param rule the position of the rule
   * @param key the key that it is written under
   */
  record Asked(Granularity granularity, int rule, String key) {

    /** What a rule asks for, or null if it says nothing about it. */
    static @Nullable Asked by(int rule, OperandQuantizationConfig part) {
      Granularity granularity = part.granularity();
      if (granularity != null) {
        return new Asked(granularity, rule, "granularity");
      }
      Integer axis = part.quantAxis();
      return axis == null ? null : new Asked(Granularity.axis(axis), rule, "quant_axis");
    }

    /** As it was written, as in {@code quant_axis 1} or {@code granularity group:32}. */
    @Override
    public String toString() {
      return granularity instanceof Granularity.PerAxis along && key.equals("quant_axis")
          ? key + " " + along.axis()
          : key + " " + granularity;
    }
  }

  private record Place(String path, String text) {}

  private final Map<Place, List<String>> modulesByPlace = new LinkedHashMap<>();

  /**
   * What is asked for a module, its axis counted from the start. An axis that its weight does not
   * have is noted as a problem.
   */
  Granularity resolve(Asked asked, ModuleDescription module, Operand operand) {
    Optional<Integer> dimensions = module.weight().map(weight -> weight.shape().size());
    if (!(asked.granularity() instanceof Granularity.PerAxis along)
        || operand != Operand.WEIGHTS
        || dimensions.isEmpty()) {
      return asked.granularity();
    }
    int rank = dimensions.get();
    if (along.axis() >= rank || along.axis() < -rank) {
      note(
          asked,
          module,
          operand,
          "%s is out of range for a weight with %s; use %s"
              .formatted(
                  asked,
                  rank == 1 ? "1 dimension" : rank + " dimensions",
                  rank == 1 ? "0 or -1" : "0 to %d, or -1 to -%d".formatted(rank - 1, rank)));
      return along;
    }
    return Granularity.axis(along.axis() < 0 ? along.axis() + rank : along.axis());
  }

  /** Notes that the backend refuses what is asked for a module. */
  void refused(Asked asked, ModuleDescription module, Operand operand, String reason) {
    note(asked, module, operand, "%s is not supported: %s".formatted(asked, reason));
  }

  private void note(Asked asked, ModuleDescription module, Operand operand, String text) {
    String path = "quantize.layers[%s].%s.%s".formatted(asked.rule(), operand.label(), asked.key());
    modulesByPlace
        .computeIfAbsent(new Place(path, text), key -> new ArrayList<>())
        .add(module.name());
  }

  /** All problems that were noted. */
  List<ConfigurationProblem> problems() {
    return modulesByPlace.entrySet().stream()
        .map(
            entry ->
                new ConfigurationProblem(
                    entry.getKey().path(),
                    Words.few(entry.getValue()) + ": " + entry.getKey().text()))
        .toList();
  }
}
