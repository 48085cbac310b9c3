package dev.kvant.runtime.evaluation;

import dev.kvant.api.Tensor;
import dev.kvant.runtime.data.InputBatch;
import java.util.Collection;

/** Counts the samples that hold a NaN or an infinity. */
final class FiniteCheck {

  private long notFinite;

  /**
   * Looks at one batch.
   *
   * @param tensors what belongs to the batch; those whose first dimension is not its rows belong to
   *     all samples
   * @param batch the batch, whose repeats do not count
   */
  void add(Collection<Tensor> tensors, InputBatch batch) {
    boolean[] found = new boolean[batch.rows()];
    for (Tensor tensor : tensors) {
      if (tensor.elementType().isFloatingPoint()) {
        mark(tensor, found);
      }
    }
    for (int i = 0; i < batch.samples(); i++) {
      notFinite += found[i] ? 1 : 0;
    }
  }

  private static void mark(Tensor tensor, boolean[] found) {
    int rows = found.length;
    boolean byRow = !tensor.shape().isEmpty() && tensor.shape().get(0) == rows;
    float[] values = tensor.toFloats();
    int length = byRow ? values.length / rows : values.length;
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        int row = i / length;
        for (int each = byRow ? row : 0; each < (byRow ? row + 1 : rows); each++) {
          found[each] = true;
        }
      }
    }
  }

  /** How many samples so far. */
  long notFinite() {
    return notFinite;
  }
}
