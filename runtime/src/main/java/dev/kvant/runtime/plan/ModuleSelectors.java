package dev.kvant.runtime.plan;

import dev.kvant.api.ModuleDescription;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A list of texts that select modules, asked which of them select a module. Names without the
 * characters of patterns are looked up, so that a list of thousands costs no more than a few
 * patterns.
 */
final class ModuleSelectors {

  private final List<ModuleSelector> selectors;
  private final Map<String, List<Integer>> byName = new HashMap<>();
  private final List<Integer> patterns = new ArrayList<>();
  private final List<Integer> names = new ArrayList<>();

  /** Which of the names select a class; filled when a class is first met. */
  private final Map<String, List<Integer>> byType = new HashMap<>();

  /**
   * @param texts the texts, in order
   * @param names the names that the modules of the model have
   */
  ModuleSelectors(Collection<String> texts, Set<String> names) {
    this.selectors = ModuleSelector.all(texts, names);
    for (int i = 0; i < selectors.size(); i++) {
      ModuleSelector selector = selectors.get(i);
      if (selector.isName()) {
        byName.computeIfAbsent(selector.toString(), key -> new ArrayList<>()).add(i);
        this.names.add(i);
      } else {
        patterns.add(i);
      }
    }
  }

  /** The positions of those that select a module, in order. */
  Collection<Integer> selecting(ModuleDescription module) {
    Set<Integer> selecting = new TreeSet<>();
    if (module.name().isEmpty()) {
      // The model as a whole takes no part.
      return selecting;
    }
    module.names().forEach(name -> selecting.addAll(byName.getOrDefault(name, List.of())));
    module.types().forEach(type -> selecting.addAll(ofType(type)));
    for (int i : patterns) {
      if (selectors.get(i).selects(module)) {
        selecting.add(i);
      }
    }
    return selecting;
  }

  private List<Integer> ofType(String type) {
    return byType.computeIfAbsent(
        type, key -> names.stream().filter(i -> selectors.get(i).selectsType(key)).toList());
  }
}
