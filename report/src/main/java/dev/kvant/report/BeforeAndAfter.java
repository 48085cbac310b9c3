package dev.kvant.report;

import dev.kvant.api.Artifact;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnavailableException;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.evaluation.Evaluation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Compares the artifacts that can be run with the model that they were made of, on the evaluation
 * data of a configuration.
 *
 * @since 0.1.0
 */
public final class BeforeAndAfter {

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
   * Runs one batch, so that what does not fit is found before the long work.
   *
   * @param warnings receives a warning if nothing runs the model, and the evaluation is left out
   * @return empty if no evaluation is asked for, or nothing runs the model
   * @throws dev.kvant.api.DataException if the data cannot be read
   * @throws dev.kvant.api.CalibrationException if the data does not fit the model's inputs
   */
  public static Optional<BeforeAndAfter> prepare(
      Kvant kvant,
      ModelQuantizationConfig config,
      QuantizableModel model,
      Consumer<String> warnings) {
    EvaluationConfig data = config.evaluation();
    if (data == null) {
      return Optional.empty();
    }
    try {
      kvant.checkEvaluation(model, data, config.device());
    } catch (UnavailableException e) {
      warnings.accept("the evaluation is left out: " + e.getMessage());
      return Optional.empty();
    }
    return Optional.of(new BeforeAndAfter(kvant, config, data, model));
  }

  /** Runs each artifact of the model's format, and the model beside it. */
  public EvaluationResult evaluate(SavedModel saved) {
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
