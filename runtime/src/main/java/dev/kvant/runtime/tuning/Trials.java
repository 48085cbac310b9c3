package dev.kvant.runtime.tuning;

import dev.kvant.api.Artifact;
import dev.kvant.api.InputDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.InputBatch;
import dev.kvant.runtime.data.InputTypes;
import dev.kvant.runtime.evaluation.Embeddings;
import dev.kvant.runtime.evaluation.LabelCounter;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import dev.kvant.runtime.evaluation.PairedLatency;
import dev.kvant.runtime.evaluation.RetrievalRequest;
import dev.kvant.runtime.evaluation.SimilarityMeter;
import dev.kvant.runtime.verification.RunnerSource;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ProgressReporter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Compares artifacts with their source on samples that are in memory. The source runs once; its
 * outputs are kept.
 */
final class Trials {

  private static final int FEWEST_PAIRS = 7;
  private static final int MOST_PAIRS = 60;

  /** How long a latency is measured at most once there are few pairs, in nanoseconds. */
  private static final long TIMING = 1_000_000_000;

  private final RunnerSource runners;
  private final QuantizableModel model;
  private final List<InputBatch> batches;
  private final List<Map<String, Tensor>> expected;

  /** The share of samples that the source classifies as labelled; null without labels. */
  private final @Nullable Double sourceTop1;

  private final @Nullable RetrievalRequest retrieval;

  /** The embeddings of the source; null if none are compared. */
  private final @Nullable Embeddings embeddings;

  private Trials(
      RunnerSource runners,
      QuantizableModel model,
      List<InputBatch> batches,
      List<Map<String, Tensor>> expected,
      @Nullable RetrievalRequest retrieval) {
    this.runners = runners;
    this.model = model;
    this.batches = batches;
    this.expected = expected;
    this.sourceTop1 = sourceTop1();
    this.retrieval = retrieval;
    this.embeddings = retrieval == null ? null : embeddings(retrieval);
  }

  /** The embeddings of the source, once they are known to be some that can be searched in. */
  private Embeddings embeddings(RetrievalRequest retrieval) {
    Embeddings ofSource = new Embeddings(retrieval);
    for (int i = 0; i < batches.size(); i++) {
      ofSource.add(expected.get(i), batches.get(i));
    }
    ofSource.similarityTo(ofSource);
    return ofSource;
  }

  /**
   * Runs the source.
   *
   * @param source the loaded model; stays open
   * @param batches with labels if artifacts should be judged by them
   * @param retrieval how outputs become embeddings if artifacts should be judged by them, or null
   * @throws UnsupportedModelException if the source has no outputs, none that labels fit, or no
   *     embeddings
   * @throws dev.kvant.api.DataException if the labels are no classes, or there are too few texts to
   *     search
   */
  static Trials of(
      RunnerSource runners,
      QuantizableModel model,
      ModelRunner source,
      List<InputBatch> batches,
      @Nullable RetrievalRequest retrieval,
      ProgressReporter progress) {
    InputTypes types = types(source.inputs());
    List<Map<String, Tensor>> expected = new ArrayList<>();
    for (InputBatch batch : batches) {
      progress.checkCancelled();
      Map<String, Tensor> outputs = source.run(types.convert(batch.inputs()));
      if (outputs.isEmpty()) {
        throw new UnsupportedModelException("%s has no outputs".formatted(model.source()));
      }
      expected.add(outputs);
    }
    return new Trials(runners, model, List.copyOf(batches), List.copyOf(expected), retrieval);
  }

  /** The number of samples. */
  int samples() {
    return batches.stream().mapToInt(InputBatch::samples).sum();
  }

  /** The similarity of an artifact's outputs to those of the source. */
  OutputSimilarity similarity(SavedModel saved, ProgressReporter progress) {
    try (ModelRunner runner = open(saved)) {
      return similarity(runner, progress);
    }
  }

  /** The similarity of the outputs of a loaded artifact, which stays open. */
  OutputSimilarity similarity(ModelRunner runner, ProgressReporter progress) {
    SimilarityMeter meter = new SimilarityMeter();
    InputTypes types = types(runner.inputs());
    for (int i = 0; i < batches.size(); i++) {
      progress.checkCancelled();
      InputBatch batch = batches.get(i);
      TensorBatch inputs = types.convert(batch.inputs());
      meter.add(expected.get(i), runner.run(inputs), batch);
    }
    return meter.similarity();
  }

  /**
   * Loads the artifact of the source's format. The caller closes it.
   *
   * @throws UnsupportedModelException if there is none, so that it cannot be compared
   */
  ModelRunner open(SavedModel saved) {
    Artifact artifact = artifact(saved, model);
    return runners.open(artifact.path(), artifact.format());
  }

  /** How good a loaded artifact is, which stays open. */
  Accuracy accuracy(ModelRunner runner, ProgressReporter progress) {
    SimilarityMeter meter = new SimilarityMeter();
    LabelCounter labels = new LabelCounter();
    Embeddings found = retrieval == null ? null : new Embeddings(retrieval);
    InputTypes types = types(runner.inputs());
    for (int i = 0; i < batches.size(); i++) {
      progress.checkCancelled();
      InputBatch batch = batches.get(i);
      Map<String, Tensor> outputs = runner.run(types.convert(batch.inputs()));
      meter.add(expected.get(i), outputs, batch);
      count(labels, outputs, batch);
      if (found != null) {
        found.add(outputs, batch);
      }
    }
    OutputSimilarity similarity = meter.similarity();
    Double recall =
        found == null || embeddings == null ? null : found.similarityTo(embeddings).recall();
    Double ofSource = sourceTop1;
    if (ofSource == null) {
      return new Accuracy(similarity, null, 1 - similarity.cosineMean(), recall);
    }
    double top1 = (double) labels.correct() / samples();
    return new Accuracy(similarity, top1, ofSource - top1, recall);
  }

  private @Nullable Double sourceTop1() {
    if (batches.stream().anyMatch(batch -> batch.label() == null)) {
      return null;
    }
    LabelCounter labels = new LabelCounter();
    for (int i = 0; i < batches.size(); i++) {
      count(labels, expected.get(i), batches.get(i));
    }
    return (double) labels.correct() / samples();
  }

  private static void count(LabelCounter labels, Map<String, Tensor> outputs, InputBatch batch) {
    Tensor label = batch.label();
    if (label != null) {
      labels.add(outputs, label, batch);
    }
  }

  /** The time of a loaded artifact beside the loaded source, for the first batch. */
  PairedLatency latency(ModelRunner source, ModelRunner runner) {
    TensorBatch first = batches.get(0).inputs();
    TensorBatch ofSource = types(source.inputs()).convert(first);
    TensorBatch ofArtifact = types(runner.inputs()).convert(first);
    return PairedLatency.measure(
        () -> source.run(ofSource), () -> runner.run(ofArtifact), FEWEST_PAIRS, MOST_PAIRS, TIMING);
  }

  /** The artifact that is compared: the first model of the source's format. */
  static Artifact artifact(SavedModel saved, QuantizableModel model) {
    return saved.artifacts().stream()
        .filter(each -> each.isModel() && each.format().equals(model.format()))
        .findFirst()
        .orElseThrow(
            () ->
                new UnsupportedModelException(
                    "backend '%s' writes no artifact of the format '%s' of %s, so its outputs cannot be compared"
                        .formatted(saved.report().backend(), model.format(), model.source())));
  }

  static InputTypes types(List<InputDescription> inputs) {
    return new InputTypes(inputs, remark -> {});
  }
}
