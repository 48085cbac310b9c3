package dev.kvant.torch.script;

import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One module instance of a TorchScript archive.
 *
 * @since 0.1.0
 */
public final class ScriptModule {

  private final ScriptClass type;
  private final PickleObject object;
  private final PickleDict attributes;
  private final List<String> names = new ArrayList<>();

  ScriptModule(ScriptClass type, PickleObject object, PickleDict attributes) {
    this.type = type;
    this.object = object;
    this.attributes = attributes;
  }

  void addName(String name) {
    names.add(name);
  }

  /** Its class. */
  public ScriptClass type() {
    return type;
  }

  /** Its node in the pickle. */
  public PickleObject object() {
    return object;
  }

  /** Its attributes: tensors, submodules and others, in order; to be changed as well. */
  public PickleDict attributes() {
    return attributes;
  }

  /**
   * Its qualified names, in the order of {@code named_modules()}: several for an instance that
   * occurs several times. The root's is empty.
   */
  public List<String> names() {
    return Collections.unmodifiableList(names);
  }

  /** The first of its names. */
  public String name() {
    return names.get(0);
  }

  /** The first of its names, or {@link ScriptTree#ROOT}. */
  public String label() {
    return name().isEmpty() ? ScriptTree.ROOT : name();
  }

  /** Its parameters and then its buffers that are in the archive, by local name, in order. */
  public Map<String, PickleValue> state() {
    Map<String, PickleValue> state = new LinkedHashMap<>();
    for (List<String> kind : List.of(type.parameters(), type.buffers())) {
      for (String name : kind) {
        Optional<PickleValue> value = attributes.get(name);
        if (value.isPresent() && value.get() instanceof PickleObject) {
          state.put(name, value.get());
        }
      }
    }
    return state;
  }

  @Override
  public String toString() {
    return "%s (%s)".formatted(name(), type.simpleName());
  }
}
