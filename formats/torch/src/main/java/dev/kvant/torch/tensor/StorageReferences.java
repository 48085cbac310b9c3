package dev.kvant.torch.tensor;

import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleList;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleReference;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Finds the storages that a pickle refers to.
 *
 * @since 0.1.0
 */
public final class StorageReferences {

  private StorageReferences() {}

  /** The names of the storages of all tensors in that pickle, in no particular order. */
  public static Set<String> of(PickleValue root) {
    return classes(root).keySet();
  }

  /** The classes of the storages of all tensors in that pickle, by their names. */
  static Map<String, PickleGlobal> classes(PickleValue root) {
    Map<String, PickleGlobal> classes = new LinkedHashMap<>();
    Set<PickleValue> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<PickleValue> pending = new ArrayDeque<>(Set.of(root));
    while (!pending.isEmpty()) {
      PickleValue value = pending.pop();
      if (!seen.add(value)) {
        continue;
      }
      if (value instanceof PickleReference reference
          && reference.id() instanceof PickleTuple id
          && id.size() > 2
          && id.get(1) instanceof PickleGlobal type
          && id.get(2) instanceof PickleText name) {
        classes.putIfAbsent(name.value(), type);
      } else if (value instanceof PickleTuple tuple) {
        pending.addAll(tuple.items());
      } else if (value instanceof PickleList list) {
        pending.addAll(list.items());
      } else if (value instanceof PickleDict dict) {
        pending.addAll(dict.entries().keySet());
        pending.addAll(dict.entries().values());
      } else if (value instanceof PickleObject object) {
        pending.add(object.callable());
        pending.add(object.arguments());
        pending.add(object.entries());
        pending.add(object.items());
        if (object.state() != null) {
          pending.add(object.state());
        }
      }
    }
    return classes;
  }
}
