package dev.kvant.runtime.plan;

import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizationWarning;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Applies {@code module_classes}: what a file does not tell of its modules, or tells wrongly. */
final class ModuleClasses {

  private final Map<ModuleSelector, String> classBySelector = new LinkedHashMap<>();
  private final Set<ModuleSelector> unused;

  /**
   * @param names the names that the modules of the model have
   */
  ModuleClasses(Map<String, String> moduleClasses, Set<String> names) {
    moduleClasses.forEach(
        (text, className) -> classBySelector.put(ModuleSelector.of(text, names), className));
    unused = new LinkedHashSet<>(classBySelector.keySet());
  }

  /** The module with the class that the configuration gives it, if it gives one. */
  ModuleDescription applyTo(ModuleDescription module) {
    String className = null;
    for (Map.Entry<ModuleSelector, String> entry : classBySelector.entrySet()) {
      if (entry.getKey().selectsByName(module)) {
        unused.remove(entry.getKey());
        className = entry.getValue();
      }
    }
    return className == null
        ? module
        : new ModuleDescription(module.names(), List.of(className), false, module.tensors());
  }

  /** One warning about the patterns that matched nothing, once all modules were seen. */
  List<QuantizationWarning> warnings() {
    return unused.isEmpty()
        ? List.of()
        : List.of(
            new QuantizationWarning(
                QuantizationWarning.Kind.NO_MATCH,
                "module_classes: no module is named " + Words.fewQuoted(unused),
                null,
                List.of()));
  }
}
