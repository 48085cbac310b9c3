package dev.kvant.runtime.data;

import dev.kvant.api.InputDescription;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.DataReader;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which input of a model each tensor of the data feeds: the one of its name. A tensor {@code input}
 * feeds the only input, or the only one that must be given.
 */
final class InputNames {

  private final Map<String, InputDescription> byTensor = new HashMap<>();

  /**
   * @param inputs the inputs; empty if they are not known
   * @param tensors the names of the tensors, labels among them
   */
  InputNames(List<InputDescription> inputs, Set<String> tensors) {
    inputs.forEach(input -> byTensor.put(input.name(), input));
    Set<String> fed = new HashSet<>(tensors);
    fed.remove(DataReader.LABEL);
    if (fed.equals(Set.of(TensorBatch.SOLE_INPUT))
        && !byTensor.containsKey(TensorBatch.SOLE_INPUT)) {
      List<InputDescription> required = inputs.stream().filter(input -> !input.optional()).toList();
      List<InputDescription> candidates = required.isEmpty() ? inputs : required;
      if (candidates.size() == 1) {
        byTensor.put(TensorBatch.SOLE_INPUT, candidates.get(0));
      }
    }
  }

  /** The input that a tensor feeds; null if it is not known. */
  @Nullable InputDescription input(String tensor) {
    return tensor.equals(DataReader.LABEL) ? null : byTensor.get(tensor);
  }
}
