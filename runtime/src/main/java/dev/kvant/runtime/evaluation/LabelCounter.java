package dev.kvant.runtime.evaluation;

import dev.kvant.api.DataException;
import dev.kvant.api.Internal;
import dev.kvant.api.Tensor;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.InputBatch;

/**
 * Counts the samples whose largest output is that of the label.
 *
 * @since 0.1.0
 */
@Internal
public final class LabelCounter {

  private long correct;

  /**
   * Counts one batch.
   *
   * @param output the model's first output, [samples, classes]
   * @param labels the correct classes, [samples] or [samples, 1]
   * @param batch the batch, whose repeats do not count
   * @throws UnsupportedModelException if the output has another shape
   * @throws DataException if the labels are no integers, or too many for a sample
   */
  public void add(Tensor output, Tensor labels, InputBatch batch) {
    if (output.shape().size() != 2) {
      throw new UnsupportedModelException(
          "the data has labels, for which an output of shape [samples, classes] is needed, but the"
              + " first output has shape "
              + output.shape());
    }
    long samples = batch.samples();
    if (output.shape().get(0) != batch.rows()) {
      throw new UnsupportedModelException(
          "the data has labels, for which an output of shape [samples, classes] is needed, but the"
              + " first output has shape %s for %d samples"
                  .formatted(output.shape(), batch.rows()));
    }
    if (labels.elements() != samples || labels.elementType().isFloatingPoint()) {
      throw new DataException(
          "'label' must hold one integer for each sample, but is %s for %d samples"
              .formatted(labels, samples));
    }
    float[] values = output.toFloats();
    long[] classes = labels.toLongs();
    int width = Math.toIntExact(output.shape().get(1));
    for (int sample = 0; sample < classes.length; sample++) {
      if (greatest(values, sample * width, width) == classes[sample]) {
        correct++;
      }
    }
  }

  /** The position of the greatest value, the first of equal ones; -1 if any is NaN. */
  private static int greatest(float[] values, int from, int length) {
    int best = -1;
    for (int i = 0; i < length; i++) {
      float value = values[from + i];
      if (Float.isNaN(value)) {
        return -1;
      }
      if (best < 0 || value > values[from + best]) {
        best = i;
      }
    }
    return best;
  }

  /** How many samples so far. */
  public long correct() {
    return correct;
  }
}
