package dev.kvant.runtime.evaluation;

import dev.kvant.api.DataException;
import dev.kvant.api.Device;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.Internal;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.runtime.data.Samples;
import dev.kvant.spi.ProgressReporter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Runs a model, and a reference beside it, over data once. Keeps sums, never outputs.
 *
 * @since 0.1.0
 */
@Internal
public final class Evaluator {

  private final EvaluationConfig data;
  private final Device device;
  private final QuantizationListener listener;

  /**
   * @param data the samples
   * @param device where the models run
   * @param listener hears of progress
   * @throws IllegalArgumentException if the batch size is less than 1
   */
  public Evaluator(EvaluationConfig data, Device device, QuantizationListener listener) {
    this.data = Objects.requireNonNull(data, "data");
    this.device = Objects.requireNonNull(device, "device");
    this.listener = Objects.requireNonNull(listener, "listener");
    if (data.batchSize() < 1) {
      throw new IllegalArgumentException("batchSize: must be at least 1, was " + data.batchSize());
    }
  }

  /**
   * Evaluates.
   *
   * @throws DataException if the data cannot be read
   * @throws dev.kvant.api.CalibrationException if it does not fit a model's inputs
   * @throws dev.kvant.api.UnsupportedModelException if the outputs cannot be judged or compared
   */
  public Evaluation evaluate(EvaluatedModel model, @Nullable EvaluatedModel reference) {
    SimilarityMeter similarity = new SimilarityMeter();
    FiniteCheck finite = new FiniteCheck();
    ProgressReporter progress = new ProgressReporter(listener, "evaluate", -1, "samples");
    long count = 0;
    try (Samples samples = Samples.open(data.path(), null)) {
      Map<String, Tensor> next = samples.next(data.batchSize());
      while (!next.isEmpty()) {
        Map<String, Tensor> inputs = new LinkedHashMap<>(next);
        Tensor label = inputs.remove(Samples.LABEL);
        if (inputs.isEmpty()) {
          throw new DataException("%s has no array but 'label'".formatted(data.path()));
        }
        TensorBatch batch = new TensorBatch(inputs);
        int rows = Math.toIntExact(inputs.values().iterator().next().shape().get(0));
        finite.add(inputs.values(), rows);
        if (reference == null) {
          model.run(batch, label, rows);
        } else {
          Map<String, Tensor> expected = reference.run(batch, label, rows);
          similarity.add(expected, model.run(batch, label, rows), rows);
        }
        count += rows;
        progress.advance(rows, "");
        next = samples.next(data.batchSize());
      }
    }
    if (count == 0) {
      throw new DataException("%s has no samples".formatted(data.path()));
    }
    return new Evaluation(
        count,
        finite.notFinite(),
        data.batchSize(),
        device,
        model.score(),
        reference == null ? null : reference.score(),
        reference == null ? null : similarity.similarity());
  }
}
