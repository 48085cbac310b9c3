package dev.kvant.runtime.plan;

import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizationWarning;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Tells which entries of {@code skip_names} skip nothing, in one warning, however many there are.
 */
final class SkipNames {

  private SkipNames() {}

  static List<QuantizationWarning> warnings(
      List<String> skipNames,
      List<ModuleDescription> modules,
      List<ModuleDescription> operators,
      Set<String> names) {
    ModuleSelectors selectors = new ModuleSelectors(skipNames, names);
    Set<Integer> matching = new HashSet<>();
    Set<Integer> effective = new HashSet<>();
    for (ModuleDescription module : modules) {
      Collection<Integer> selecting = selectors.selecting(module);
      matching.addAll(selecting);
      if (module.hasWeights()) {
        effective.addAll(selecting);
      }
    }
    for (ModuleDescription operator : operators) {
      Collection<Integer> selecting = selectors.selecting(operator);
      matching.addAll(selecting);
      effective.addAll(selecting);
    }
    List<String> matchNothing = new ArrayList<>();
    List<String> matchContainers = new ArrayList<>();
    for (int i = 0; i < skipNames.size(); i++) {
      if (!matching.contains(i)) {
        matchNothing.add(skipNames.get(i));
      } else if (!effective.contains(i)) {
        matchContainers.add(skipNames.get(i));
      }
    }
    List<String> sentences = new ArrayList<>();
    if (!matchNothing.isEmpty()) {
      sentences.add("skip_names that match no module: " + Words.fewQuoted(matchNothing));
    }
    if (!matchContainers.isEmpty()) {
      sentences.add(
          "skip_names that match only modules without weights of their own: "
              + Words.fewQuoted(matchContainers)
              + "; to skip what is inside of a module, write 'NAME.*'");
    }
    return sentences.isEmpty()
        ? List.of()
        : List.of(
            new QuantizationWarning(
                QuantizationWarning.Kind.NO_MATCH, String.join(". ", sentences), null, List.of()));
  }
}
