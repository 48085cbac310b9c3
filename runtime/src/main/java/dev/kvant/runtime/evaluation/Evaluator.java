package dev.kvant.runtime.evaluation;

import dev.kvant.api.DataException;
import dev.kvant.api.Device;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Internal;
import dev.kvant.api.LabelKind;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.Tensor;
import dev.kvant.runtime.data.DataReaders;
import dev.kvant.runtime.data.InputBatch;
import dev.kvant.runtime.data.InputBatches;
import dev.kvant.runtime.data.InputTypes;
import dev.kvant.spi.ProgressReporter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a model, and a reference beside it, over data once. Keeps sums, never outputs.
 *
 * @since 0.1.0
 */
@Internal
public final class Evaluator {

  private final DataReaders readers;
  private final EvaluationConfig data;
  private final Device device;
  private final QuantizationListener listener;

  /**
   * @param readers read the samples
   * @param data the samples
   * @param device where the models run
   * @param listener hears of progress, and of what a person should know of the data
   * @throws IllegalArgumentException if the batch size is less than 1
   */
  public Evaluator(
      DataReaders readers, EvaluationConfig data, Device device, QuantizationListener listener) {
    this.readers = Objects.requireNonNull(readers, "readers");
    this.data = Objects.requireNonNull(data, "data");
    this.device = Objects.requireNonNull(device, "device");
    this.listener = Objects.requireNonNull(listener, "listener");
    Integer batchSize = data.batchSize();
    if (batchSize != null && batchSize < 1) {
      throw new IllegalArgumentException("batchSize: must be at least 1, was " + batchSize);
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
    model.judgeBy(data.labels());
    if (reference != null) {
      reference.judgeBy(data.labels());
    }
    SimilarityMeter similarity = new SimilarityMeter();
    boolean isComparable = true;
    FiniteCheck finite = new FiniteCheck();
    long count = 0;
    int size;
    try (InputBatches batches =
        InputBatches.open(readers, data, inputs(model, reference), this::remark)) {
      InputTypes types = new InputTypes(model.inputs(), this::remark);
      InputTypes referenceTypes =
          new InputTypes(reference == null ? List.of() : reference.inputs(), remark -> {});
      ProgressReporter progress =
          new ProgressReporter(listener, "evaluate", batches.count().orElse(-1), "samples");
      for (var next = batches.next(); next.isPresent(); next = batches.next()) {
        InputBatch batch = next.get();
        requireLabels(batch);
        finite.add(batch.inputs().inputs().values(), batch);
        if (reference == null) {
          model.run(batch.with(types.convert(batch.inputs())));
        } else {
          Map<String, Tensor> expected =
              reference.run(batch.with(referenceTypes.convert(batch.inputs())));
          Map<String, Tensor> found = model.run(batch.with(types.convert(batch.inputs())));
          // How many boxes there are may depend on the smallest difference.
          isComparable &=
              data.labels() != LabelKind.BOXES
                  || SimilarityMeter.shapes(expected).equals(SimilarityMeter.shapes(found));
          if (isComparable) {
            similarity.add(expected, found, batch);
          }
        }
        count += batch.samples();
        progress.advance(batch.samples(), "");
      }
      size = batches.size();
    }
    if (count == 0) {
      throw withoutSamples();
    }
    return new Evaluation(
        count,
        finite.notFinite(),
        size,
        device,
        model.score(),
        reference == null ? null : reference.score(),
        reference == null || !isComparable ? null : similarity.similarity());
  }

  /**
   * Embeds the samples with a model and a reference, and compares what a search in them finds.
   * Keeps two embeddings for each sample.
   *
   * @throws DataException if the data cannot be read, or has too few samples
   * @throws dev.kvant.api.CalibrationException if it does not fit a model's inputs
   * @throws dev.kvant.api.UnsupportedModelException if the outputs are no embeddings
   */
  public RetrievalSimilarity retrieve(
      EvaluatedModel model, EvaluatedModel reference, RetrievalRequest request) {
    Embeddings expected = new Embeddings(request);
    Embeddings actual = new Embeddings(request);
    try (InputBatches batches =
        InputBatches.open(readers, data, inputs(model, reference), remark -> {})) {
      ProgressReporter progress =
          new ProgressReporter(listener, "embed", batches.count().orElse(-1), "samples");
      for (var next = batches.next(); next.isPresent(); next = batches.next()) {
        InputBatch batch = next.get();
        expected.add(outputs(reference, batch), batch);
        actual.add(outputs(model, batch), batch);
        progress.advance(batch.samples(), "");
      }
    }
    return actual.similarityTo(expected);
  }

  private static Map<String, Tensor> outputs(EvaluatedModel model, InputBatch batch) {
    InputTypes types = new InputTypes(model.inputs(), remark -> {});
    return model.run(batch.with(types.convert(batch.inputs())));
  }

  /**
   * Runs a model on the first samples, so that what does not fit is found before any long work.
   *
   * @throws DataException if the data cannot be read
   * @throws dev.kvant.api.CalibrationException if it does not fit the model's inputs
   * @throws dev.kvant.api.UnsupportedModelException if the outputs cannot be judged
   */
  public void check(EvaluatedModel model) {
    model.judgeBy(data.labels());
    Consumer<String> nobody = remark -> {};
    try (InputBatches batches = InputBatches.open(readers, data, model.inputs(), nobody)) {
      InputBatch first = batches.next().orElseThrow(this::withoutSamples);
      requireLabels(first);
      model.run(first.with(new InputTypes(model.inputs(), nobody).convert(first.inputs())));
    }
  }

  private void requireLabels(InputBatch batch) {
    if (batch.label() == null && data.needsLabels()) {
      throw new DataException(
          "%s has no tensor 'label', which labels: %s and its gates need"
              .formatted(data.data().path(), data.labels().label()));
    }
  }

  private DataException withoutSamples() {
    return new DataException("%s has no samples".formatted(data.data().path()));
  }

  /** The inputs of the model, with the batch size of the reference where the model has none. */
  private static List<InputDescription> inputs(
      EvaluatedModel model, @Nullable EvaluatedModel reference) {
    if (reference == null) {
      return model.inputs();
    }
    Map<String, InputDescription> others = new LinkedHashMap<>();
    reference.inputs().forEach(input -> others.put(input.name(), input));
    return model.inputs().stream()
        .map(input -> narrowed(input, others.getOrDefault(input.name(), input)))
        .toList();
  }

  private static InputDescription narrowed(InputDescription input, InputDescription other) {
    List<Long> shape = input.shape();
    if (other.fixedSize(0).isEmpty() || input.fixedSize(0).isPresent()) {
      return input;
    }
    List<Long> narrowed =
        new ArrayList<>(shape == null ? Objects.requireNonNull(other.shape()) : shape);
    if (!narrowed.isEmpty()) {
      narrowed.set(0, other.fixedSize(0).getAsLong());
    }
    return new InputDescription(input.name(), input.elementType(), narrowed, input.optional());
  }

  private void remark(String remark) {
    listener.onWarning(
        new QuantizationWarning(QuantizationWarning.Kind.DATA, remark, null, List.of()));
  }
}
