package dev.kvant.torch;

import dev.kvant.api.TensorDescription;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorStorage;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Descriptions of a model's tensors. */
final class Descriptions {

  /** The Linear whose weight {@code MultiheadAttention} reads instead of calling it. */
  static final String ATTENTION_OUTPUT = "NonDynamicallyQuantizableLinear";

  /** PyTorch's own subclasses to which a rule for their parent applies. */
  private static final Map<String, String> PARENTS = Map.of(ATTENTION_OUTPUT, "Linear");

  private Descriptions() {}

  /** The class names of a module of a class. */
  static List<String> types(String type) {
    String parent =
        type.startsWith(ComputedWeight.PARAMETRIZED)
            ? type.substring(ComputedWeight.PARAMETRIZED.length())
            : PARENTS.getOrDefault(type, "");
    return parent.isEmpty() ? List.of(type) : List.of(type, parent);
  }

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
