package dev.kvant.tck;

import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A data set to try a data reader on, and what it holds.
 *
 * @param path the file or folder
 * @param options the settings of the data reader
 * @param inputs the inputs of the model that it is read for; empty if they are not known
 * @param tensors all samples by name, the first axis of each counts them
 * @param shared what holds for all samples, by name
 * @since 0.1.0
 */
public record SampleData(
    Path path,
    Map<String, Object> options,
    List<InputDescription> inputs,
    Map<String, Tensor> tensors,
    Map<String, Tensor> shared) {

  /**
   * Copies the components.
   *
   * @throws IllegalArgumentException if there are fewer than two samples: one proves no order
   */
  public SampleData {
    Objects.requireNonNull(path, "path");
    options = Map.copyOf(options);
    inputs = List.copyOf(inputs);
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    shared = Collections.unmodifiableMap(new LinkedHashMap<>(shared));
    if (tensors.isEmpty()
        || tensors.values().stream()
            .anyMatch(tensor -> tensor.shape().isEmpty() || tensor.shape().get(0) < 2)) {
      throw new IllegalArgumentException("tensors: there must be two samples at least");
    }
  }

  /** Data that needs no settings, shares nothing, and suits any model. */
  public static SampleData of(Path path, Map<String, Tensor> tensors) {
    return new SampleData(path, Map.of(), List.of(), tensors, Map.of());
  }

  /** The number of samples. */
  long samples() {
    return tensors.values().iterator().next().shape().get(0);
  }
}
