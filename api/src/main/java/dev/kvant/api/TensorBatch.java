package dev.kvant.api;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One batch of inputs for a model, by name.
 *
 * @param inputs the tensors by input name, in order; {@link #SOLE_INPUT} also feeds a single
 *     argument of another name
 * @since 0.1.0
 */
public record TensorBatch(Map<String, Tensor> inputs) {

  /** The name for a single input of any name. */
  public static final String SOLE_INPUT = "input";

  public TensorBatch {
    if (inputs.isEmpty()) {
      throw new IllegalArgumentException("inputs: a batch has at least one tensor");
    }
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
  }

  /** A batch for a model with one input. */
  public static TensorBatch of(Tensor input) {
    return new TensorBatch(Map.of(SOLE_INPUT, input));
  }

  /**
   * A batch from a data set's tuple. Its first element is the input; the others, such as a label,
   * are ignored.
   */
  public static TensorBatch ofTuple(List<Tensor> tuple) {
    if (tuple.isEmpty()) {
      throw new IllegalArgumentException("tuple: its first element is the input, and it has none");
    }
    return of(tuple.get(0));
  }
}
