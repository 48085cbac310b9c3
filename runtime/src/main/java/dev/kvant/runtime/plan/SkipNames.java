package dev.kvant.runtime.plan;

import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizationWarning;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Tells which entries of {@code skip_names} skip nothing, in one warning, however many there are.
 */
final class SkipNames {

  private SkipNames() {}

  static List<QuantizationWarning> warnings(
      List<String> skipNames, List<ModuleDescription> modules, Set<String> names) {
    List<String> matchNothing = new ArrayList<>();
    List<String> matchContainers = new ArrayList<>();
    for (String skip : skipNames) {
      ModuleSelector selector = ModuleSelector.of(skip, names);
      List<ModuleDescription> matched = modules.stream().filter(selector::selects).toList();
      if (matched.isEmpty()) {
        matchNothing.add(skip);
      } else if (matched.stream().noneMatch(ModuleDescription::hasWeights)) {
        matchContainers.add(skip);
      }
    }
    List<String> sentences = new ArrayList<>();
    if (!matchNothing.isEmpty()) {
      sentences.add("skip_names that match no module: " + Words.quoted(matchNothing));
    }
    if (!matchContainers.isEmpty()) {
      sentences.add(
          "skip_names that match only modules without weights of their own: "
              + Words.quoted(matchContainers)
              + "; to skip what is inside of a module, write 'NAME.*'");
    }
    return sentences.isEmpty()
        ? List.of()
        : List.of(
            new QuantizationWarning(
                QuantizationWarning.Kind.NO_MATCH, String.join(". ", sentences), null, List.of()));
  }
}
