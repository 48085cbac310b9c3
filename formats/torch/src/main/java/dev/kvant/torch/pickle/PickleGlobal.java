package dev.kvant.torch.pickle;

import java.util.Objects;

/**
 * The name of a Python class or function; nothing is looked up.
 *
 * @param module the module, as in {@code collections}
 * @param name the name within it, as in {@code OrderedDict}
 * @since 0.1.0
 */
public record PickleGlobal(String module, String name) implements PickleValue {
  public PickleGlobal {
    Objects.requireNonNull(module, "module");
    Objects.requireNonNull(name, "name");
  }

  /** Whether it is that global. */
  public boolean is(String module, String name) {
    return this.module.equals(module) && this.name.equals(name);
  }

  /** Module and name, joined by a dot. */
  public String qualifiedName() {
    return module + "." + name;
  }
}
