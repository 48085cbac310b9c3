package dev.kvant.torch;

import dev.kvant.api.QuantizableModel;
import dev.kvant.torch.script.ScriptTree;
import dev.kvant.torch.tensor.StoredTensor;
import java.util.Map;
import java.util.Optional;

/**
 * A model that PyTorch or safetensors wrote.
 *
 * @since 0.1.0
 */
public sealed interface TorchModel extends QuantizableModel permits DescribedModel {

  /** The name of a root that is itself a layer: the one module of its model that has weights. */
  String ROOT = ScriptTree.ROOT;

  /** Its tensors by qualified name, in the order of PyTorch's {@code state_dict()}. */
  @Override
  Map<String, StoredTensor> tensors();

  /**
   * A tensor of a module.
   *
   * @param module any of the module's names; empty or {@link #ROOT} for the root
   * @param tensor the name within the module, as in {@code weight}
   */
  default Optional<StoredTensor> tensor(String module, String tensor) {
    return Optional.ofNullable(tensors().get(qualified(module, tensor)));
  }

  /**
   * The name of a tensor within its model.
   *
   * @param module any of the names of its module; empty or {@link #ROOT} for the root
   * @param tensor the name within the module
   */
  static String qualified(String module, String tensor) {
    return module.isEmpty() || module.equals(ROOT) ? tensor : module + "." + tensor;
  }
}
