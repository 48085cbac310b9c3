package dev.kvant.backend.modelopt;

import dev.kvant.torch.script.ScriptCode;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptTree;
import dev.kvant.torch.tensor.StoredTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Tells which modules of an archive are one module in Python.
 *
 * <p>torch.jit makes a module of its own of every name, all with the same tensors. Scripted, they
 * are instances of one class. Traced, each has a class of its own, and only that of the first name
 * has code, with a method for every call. Modules that are different in Python and have tied
 * weights both have code in a trace; in a scripted archive they cannot be told from one module.
 */
final class SharedModules {

  private final Map<ScriptModule, ScriptModule> first = new HashMap<>();
  private final ScriptCode code;
  private final Map<String, StoredTensor> stateDict;

  private SharedModules(ScriptCode code, Map<String, StoredTensor> stateDict) {
    this.code = code;
    this.stateDict = stateDict;
  }

  /**
   * For an archive.
   *
   * @param stateDict its tensors by qualified name
   */
  static SharedModules of(ScriptTree tree, ScriptCode code, Map<String, StoredTensor> stateDict) {
    var shared = new SharedModules(code, stateDict);
    Map<List<String>, List<ScriptModule>> byState = new HashMap<>();
    for (ScriptModule module : tree.modules()) {
      List<String> state = shared.state(module);
      if (state.size() > 1) {
        List<ScriptModule> others = byState.computeIfAbsent(state, key -> new ArrayList<>());
        others.stream()
            .filter(other -> shared.isSame(other, module))
            .findFirst()
            .ifPresentOrElse(other -> shared.first.put(module, other), () -> others.add(module));
      }
    }
    return shared;
  }

  /** The first of the modules that are one with a module: itself, if there is no other. */
  ScriptModule first(ScriptModule module) {
    return first.getOrDefault(module, module);
  }

  /** The Python class, and which tensors there are by which name. */
  private List<String> state(ScriptModule module) {
    List<String> state = new ArrayList<>();
    state.add(InsertedQuantizers.path(module));
    for (String local : module.state().keySet()) {
      StoredTensor tensor =
          stateDict.get(module.name().isEmpty() ? local : module.name() + "." + local);
      state.add(local + " " + (tensor == null ? "" : tensor.identity()));
    }
    return state;
  }

  private boolean isSame(ScriptModule earlier, ScriptModule later) {
    return earlier.type().name().equals(later.type().name()) || !hasCode(later);
  }

  private boolean hasCode(ScriptModule module) {
    return code.type(module.type().name().qualifiedName())
        .map(type -> !type.methods().isEmpty())
        .orElse(true);
  }
}
