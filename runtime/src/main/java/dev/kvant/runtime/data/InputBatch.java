package dev.kvant.runtime.data;

import dev.kvant.api.Internal;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a model is run on at once.
 *
 * @param inputs the inputs
 * @param label the right answers of the samples, one row each, or null if there are none
 * @param samples how many samples there are
 * @param rows how many rows there are: the samples, and repeats of them where the model takes more
 *     at once
 * @since 0.1.0
 */
@Internal
public record InputBatch(TensorBatch inputs, @Nullable Tensor label, int samples, int rows) {

  /**
   * Checks the components.
   *
   * @throws NullPointerException if there are no inputs
   */
  public InputBatch {
    Objects.requireNonNull(inputs, "inputs");
  }

  /** The same batch with its inputs in other types. */
  public InputBatch with(TensorBatch converted) {
    return new InputBatch(converted, label, samples, rows);
  }
}
