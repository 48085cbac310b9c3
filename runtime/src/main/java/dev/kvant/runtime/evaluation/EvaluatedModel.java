package dev.kvant.runtime.evaluation;

import dev.kvant.api.InputDescription;
import dev.kvant.api.Internal;
import dev.kvant.api.LabelKind;
import dev.kvant.api.Tensor;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.InputBatch;
import dev.kvant.spi.ModelRunner;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A model under evaluation: its runner, and the figures so far.
 *
 * @since 0.1.0
 */
@Internal
public final class EvaluatedModel implements AutoCloseable {

  /** The first runs of a graph compile it, so they are not timed. */
  private static final int WARM_UPS = 2;

  private final Path path;
  private final List<Path> files;
  private final String format;
  private final ModelRunner runner;
  private final Latency latency = new Latency();
  private AccuracyMeter labels = AccuracyMeter.of(LabelKind.CLASSES);
  private final FiniteCheck finite = new FiniteCheck();
  private boolean labelled;
  private boolean warm;

  /**
   * @param path the model file or folder
   * @param files all files and folders that hold the model
   * @param format the id of its format
   * @param runner runs it; closed with this
   */
  public EvaluatedModel(Path path, List<Path> files, String format, ModelRunner runner) {
    this.path = Objects.requireNonNull(path, "path");
    this.files = List.copyOf(files);
    this.format = Objects.requireNonNull(format, "format");
    this.runner = Objects.requireNonNull(runner, "runner");
  }

  /** Says what labels hold, before the first run. */
  void judgeBy(LabelKind kind) {
    labels = AccuracyMeter.of(kind);
  }

  List<InputDescription> inputs() {
    return runner.inputs();
  }

  Map<String, Tensor> run(InputBatch batch) {
    for (int i = 0; !warm && i < WARM_UPS; i++) {
      runner.run(batch.inputs());
    }
    warm = true;
    long start = System.nanoTime();
    Map<String, Tensor> outputs = runner.run(batch.inputs());
    latency.add(System.nanoTime() - start);
    if (outputs.isEmpty()) {
      throw new UnsupportedModelException("%s has no outputs".formatted(path));
    }
    finite.add(outputs.values(), batch);
    Tensor label = batch.label();
    if (label != null) {
      labelled = true;
      labels.add(outputs, label, batch);
    }
    return outputs;
  }

  ModelScore score() {
    return new ModelScore(
        path,
        format,
        FileBytes.of(files),
        labelled && labels instanceof LabelCounter counter ? counter.correct() : null,
        labelled ? labels.figures() : Map.of(),
        finite.notFinite(),
        latency.medianMillis(),
        latency.millis());
  }

  @Override
  public void close() {
    runner.close();
  }
}
