package dev.kvant.torch;

import dev.kvant.api.TensorDescription;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorStorage;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** What models tell about their tensors. */
final class Descriptions {

  private Descriptions() {}

  static TensorDescription of(String name, StoredTensor tensor) {
    return new TensorDescription(name, tensor.elementType(), tensor.shape(), tensor.identity());
  }

  /** Size of all storages behind the tensors, each counted once. */
  static long storageBytes(Collection<StoredTensor> tensors) {
    Map<String, Long> bytes = new LinkedHashMap<>();
    for (StoredTensor tensor : tensors) {
      for (TensorStorage storage : tensor.storages()) {
        bytes.put(storage.id(), storage.bytes());
      }
    }
    return bytes.values().stream().mapToLong(Long::longValue).sum();
  }
}
