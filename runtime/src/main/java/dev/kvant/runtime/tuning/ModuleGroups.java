package dev.kvant.runtime.tuning;

import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.TensorDescription;
import dev.kvant.spi.ModuleFamily;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Modules that are quantized together or stay native together: those that read one tensor, as a
 * backend tells or as names in one parent say, and those that share a weight.
 */
final class ModuleGroups {

  private final Map<String, String> leaders = new HashMap<>();

  private ModuleGroups() {}

  /**
   * The groups of the quantized modules, in the order of the plan.
   *
   * @param told the modules that read one tensor, by what the backend knows; other modules are
   *     ignored
   */
  static List<List<String>> of(
      QuantizationPlan plan, QuantizableModel model, List<List<String>> told) {
    ModuleGroups groups = new ModuleGroups();
    List<String> modules = plan.quantized().stream().map(ModuleDecision::module).toList();
    modules.forEach(module -> groups.leaders.put(module, module));
    told.forEach(groups::join);
    groups.siblings(modules).forEach(groups::join);
    groups.tied(model).forEach(groups::join);
    Map<String, List<String>> members = new LinkedHashMap<>();
    modules.forEach(
        module ->
            members
                .computeIfAbsent(groups.leader(module), leader -> new ArrayList<>())
                .add(module));
    return members.values().stream().map(List::copyOf).toList();
  }

  private String leader(String module) {
    String leader = module;
    while (!leaders.getOrDefault(leader, leader).equals(leader)) {
      leader = Objects.requireNonNull(leaders.get(leader));
    }
    return leader;
  }

  private void join(List<String> modules) {
    List<String> known = modules.stream().filter(leaders::containsKey).toList();
    known.forEach(module -> leaders.put(leader(module), leader(known.get(0))));
  }

  private List<List<String>> siblings(List<String> modules) {
    Map<String, List<String>> families = new LinkedHashMap<>();
    for (String module : modules) {
      ModuleFamily.of(module)
          .ifPresent(
              family ->
                  families
                      .computeIfAbsent(family.in(module), key -> new ArrayList<>())
                      .add(module));
    }
    return List.copyOf(families.values());
  }

  private List<List<String>> tied(QuantizableModel model) {
    Map<String, List<String>> sharing = new LinkedHashMap<>();
    for (ModuleDescription module : model.modules()) {
      if (leaders.containsKey(module.name())) {
        module
            .weight()
            .map(TensorDescription::storage)
            .ifPresent(
                storage ->
                    sharing.computeIfAbsent(storage, key -> new ArrayList<>()).add(module.name()));
      }
    }
    return List.copyOf(sharing.values());
  }
}
