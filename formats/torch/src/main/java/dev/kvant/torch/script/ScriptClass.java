package dev.kvant.torch.script;

import dev.kvant.torch.pickle.PickleGlobal;
import java.util.List;
import java.util.Objects;

/**
 * A module class of a TorchScript archive, as its source text declares it.
 *
 * @param name the qualified name, as in {@code
 *     __torch__.torch.nn.modules.linear.___torch_mangle_1.Linear}
 * @param record the archive's record with its source, as in {@code code/__torch__/networks.py}
 * @param parameters the attributes that {@code __parameters__} names
 * @param buffers the attributes that {@code __buffers__} names
 * @since 0.1.0
 */
public record ScriptClass(
    PickleGlobal name, String record, List<String> parameters, List<String> buffers) {

  public ScriptClass {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(record, "record");
    parameters = List.copyOf(parameters);
    buffers = List.copyOf(buffers);
  }

  /** The name without its path, which is that of the Python class, as in {@code Linear}. */
  public String simpleName() {
    return name.name();
  }
}
