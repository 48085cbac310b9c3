package dev.kvant.spi;

import dev.kvant.api.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Some samples that follow each other.
 *
 * @param count how many samples, at least one
 * @param tensors what belongs to single samples, by name: the first axis of each counts the samples
 * @param shared what belongs to all of them alike, by name, such as a scalar input
 * @since 0.1.0
 */
public record SampleBlock(int count, Map<String, Tensor> tensors, Map<String, Tensor> shared) {

  /**
   * Checks and copies the components.
   *
   * @throws IllegalArgumentException if there is no sample, a tensor has another number of rows, or
   *     a name stands in both maps
   */
  public SampleBlock {
    if (count < 1) {
      throw new IllegalArgumentException("count: must be at least 1, was " + count);
    }
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    shared = Collections.unmodifiableMap(new LinkedHashMap<>(shared));
    for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
      List<Long> shape = tensor.getValue().shape();
      if (shape.isEmpty() || shape.get(0) != count) {
        throw new IllegalArgumentException(
            "tensors: '%s' has shape %s, its first dimension must be the %d samples"
                .formatted(tensor.getKey(), shape, count));
      }
    }
    TreeSet<String> both = new TreeSet<>(tensors.keySet());
    both.retainAll(shared.keySet());
    if (!both.isEmpty()) {
      throw new IllegalArgumentException("shared: %s are among the tensors too".formatted(both));
    }
  }

  /**
   * Samples that share nothing.
   *
   * @param tensors at least one; the first axis of each counts the samples
   */
  public static SampleBlock of(Map<String, Tensor> tensors) {
    if (tensors.isEmpty()) {
      throw new IllegalArgumentException("tensors: there is none");
    }
    List<Long> shape = tensors.values().iterator().next().shape();
    return new SampleBlock(shape.isEmpty() ? 0 : Math.toIntExact(shape.get(0)), tensors, Map.of());
  }
}
