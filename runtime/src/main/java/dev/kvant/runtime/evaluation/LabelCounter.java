package dev.kvant.runtime.evaluation;

import dev.kvant.api.DataException;
import dev.kvant.api.Internal;
import dev.kvant.api.Tensor;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.InputBatch;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Counts the samples whose class has the largest output, and those whose class is among the five
 * largest. Of equal outputs the first counts as larger; a sample with a NaN is wrong.
 *
 * @since 0.1.0
 */
@Internal
public final class LabelCounter implements AccuracyMeter {

  private static final int FIVE = 5;

  private long samples;
  private long first;
  private long amongFive;
  private boolean hasFive = true;

  /** A counter that has seen nothing. */
  public LabelCounter() {}

  /**
   * Counts one batch.
   *
   * @param outputs of which the first is [samples, classes]
   * @param labels the correct classes, [samples] or [samples, 1]
   */
  @Override
  public void add(Map<String, Tensor> outputs, Tensor labels, InputBatch batch) {
    Tensor output = outputs.values().iterator().next();
    if (output.shape().size() != 2) {
      throw new UnsupportedModelException(
          "the data has labels, for which an output of shape [samples, classes] is needed, but the"
              + " first output has shape "
              + output.shape());
    }
    long count = batch.samples();
    if (output.shape().get(0) != batch.rows()) {
      throw new UnsupportedModelException(
          "the data has labels, for which an output of shape [samples, classes] is needed, but the"
              + " first output has shape %s for %d samples"
                  .formatted(output.shape(), batch.rows()));
    }
    if (labels.elements() != count || labels.elementType().isFloatingPoint()) {
      throw new DataException(
          "'label' must hold one integer for each sample, but is %s for %d samples"
              .formatted(labels, count));
    }
    float[] values = output.toFloats();
    long[] classes = labels.toLongs();
    int width = Math.toIntExact(output.shape().get(1));
    hasFive &= width >= FIVE;
    for (int sample = 0; sample < classes.length; sample++) {
      int place = place(values, sample * width, width, classes[sample]);
      first += place == 0 ? 1 : 0;
      amongFive += place < FIVE ? 1 : 0;
      samples++;
    }
  }

  /** How many outputs of a sample are larger than that of a class; all if one is NaN. */
  private static int place(float[] values, int from, int length, long wanted) {
    if (wanted < 0 || wanted >= length) {
      return Integer.MAX_VALUE;
    }
    int position = (int) wanted;
    float value = values[from + position];
    int larger = 0;
    for (int i = 0; i < length; i++) {
      float other = values[from + i];
      if (Float.isNaN(other)) {
        return Integer.MAX_VALUE;
      }
      larger += other > value || (other == value && i < position) ? 1 : 0;
    }
    return larger;
  }

  /** How many samples were right. */
  public long correct() {
    return first;
  }

  /** Top-1, and top-5 where there are five classes. */
  @Override
  public Map<Figure, Double> figures() {
    Map<Figure, Double> figures = new LinkedHashMap<>();
    figures.put(Figure.TOP1, (double) first / samples);
    if (hasFive) {
      figures.put(Figure.TOP5, (double) amongFive / samples);
    }
    return figures;
  }
}
