package dev.kvant.cli;

import dev.kvant.api.Artifact;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnavailableException;
import dev.kvant.report.EvaluationResult;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.evaluation.Evaluation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Compares the artifacts that can be run with the model that they were made of. */
final class BeforeAndAfter {

  private final Kvant kvant;
  private final ModelQuantizationConfig config;
  private final EvaluationConfig data;
  private final QuantizableModel model;

  private BeforeAndAfter(
      Kvant kvant, ModelQuantizationConfig config, EvaluationConfig data, QuantizableModel model) {
    this.kvant = kvant;
    this.config = config;
    this.data = data;
    this.model = model;
  }

  /**
   * Runs one batch, so that what does not fit is found before the long work. Empty if no evaluation
   * is asked for, or nothing runs the model, which is a warning.
   */
  static Optional<BeforeAndAfter> prepare(
      Kvant kvant, Reporter reporter, ModelQuantizationConfig config, QuantizableModel model) {
    EvaluationConfig data = config.evaluation();
    if (data == null) {
      return Optional.empty();
    }
    try {
      kvant.checkEvaluation(model, data, config.device());
    } catch (UnavailableException e) {
      reporter.warn("the evaluation is left out: " + e.getMessage());
      return Optional.empty();
    }
    return Optional.of(new BeforeAndAfter(kvant, config, data, model));
  }

  /** Runs each artifact of the model's format, and the model beside it. */
  EvaluationResult evaluate(SavedModel saved) {
    List<Evaluation> evaluations = new ArrayList<>();
    for (Artifact artifact : saved.artifacts()) {
      if (artifact.role() == Artifact.Role.MODEL && artifact.format().equals(model.format())) {
        evaluations.add(kvant.compare(artifact.path(), model, data, config.device()));
      }
    }
    if (evaluations.isEmpty()) {
      evaluations.add(kvant.evaluate(model.source(), null, data, config.device()));
    }
    return new EvaluationResult(data.data().path(), evaluations);
  }
}
