package dev.kvant.runtime.evaluation;

import dev.kvant.api.Internal;
import dev.kvant.api.LabelKind;
import dev.kvant.api.Tensor;
import dev.kvant.runtime.data.InputBatch;
import java.util.Map;

/**
 * Compares outputs with labels of one kind, batch by batch.
 *
 * @since 0.1.0
 */
@Internal
public interface AccuracyMeter {

  /** A meter for labels of a kind. */
  static AccuracyMeter of(LabelKind labels) {
    return switch (labels) {
      case CLASSES -> new LabelCounter();
      case BOXES -> new BoxMeter();
      case TEXT -> new TextMeter();
    };
  }

  /**
   * Compares one batch.
   *
   * @param outputs what the model gave, in its order
   * @param labels the correct answers, the first axis counts the samples
   * @param batch the batch, whose repeats do not count
   * @throws dev.kvant.api.UnsupportedModelException if the outputs cannot be judged
   * @throws dev.kvant.api.DataException if the labels are of another kind
   */
  void add(Map<String, Tensor> outputs, Tensor labels, InputBatch batch);

  /** The figures over all batches. */
  Map<Figure, Double> figures();
}
