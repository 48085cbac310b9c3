package dev.kvant.torch.tensor;

import dev.kvant.api.ModelTensor;
import java.util.List;

/**
 * A tensor of a file of PyTorch or safetensors.
 *
 * @since 0.1.0
 */
public sealed interface StoredTensor extends ModelTensor permits DenseTensor, QuantizedTensor {

  /** The storages that hold it. */
  List<TensorStorage> storages();
}
