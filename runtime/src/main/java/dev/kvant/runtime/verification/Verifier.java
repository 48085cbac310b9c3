package dev.kvant.runtime.verification;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Internal;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnavailableException;
import dev.kvant.api.Verification;
import dev.kvant.api.Verification.Status;
import dev.kvant.api.VerificationConfig;
import dev.kvant.spi.ModelRunner;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Runs artifacts and their source on the same samples, see {@link Verification}.
 *
 * @since 0.1.0
 */
@Internal
public final class Verifier {

  /** An artifact whose noise exceeds its signal gives nothing of what the source gives. */
  private static final double DEFAULT_MIN_SQNR = 0;

  /** Two runs of one model that are less alike than that do not depend on their input alone. */
  private static final double DETERMINISTIC = 60;

  private final RunnerSource runners;
  private final VerificationConfig config;

  /**
   * @param runners loads source and artifacts
   * @param config on how many samples, and what the artifacts must reach
   */
  public Verifier(RunnerSource runners, VerificationConfig config) {
    this.runners = runners;
    this.config = config;
  }

  /**
   * Verifies all model files among the artifacts.
   *
   * @param batch what to run them on; empty if there is no data
   */
  public List<Verification> verify(
      QuantizableModel model, List<Artifact> artifacts, Optional<TensorBatch> batch) {
    List<Artifact> models = artifacts.stream().filter(Artifact::isModel).toList();
    if (!config.enabled()) {
      return notVerified(models, "verification is off");
    }
    if (batch.isEmpty()) {
      return notVerified(
          models, "there is no data to run it on; name some under calibration or evaluation");
    }
    if (models.stream().noneMatch(artifact -> artifact.format().equals(model.format()))) {
      return notVerified(models, "it runs in Python alone");
    }
    TensorBatch samples = FirstSamples.of(batch.get(), config.samples());
    Map<String, Tensor> expected;
    try (ModelRunner source = runners.open(model.source(), model.format())) {
      try {
        expected = source.run(samples);
      } catch (CalibrationException e) {
        // A model with a fixed batch size takes nothing but whole batches.
        samples = batch.get();
        expected = source.run(samples);
      }
      if (OutputComparison.of(expected, source.run(samples), DETERMINISTIC, Set::of)
          .fault()
          .isPresent()) {
        return notVerified(models, "two runs of the source differ: it is not deterministic");
      }
    } catch (UnavailableException e) {
      return notVerified(models, String.valueOf(e.getMessage()));
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException e) {
      return notVerified(models, "the source does not run: " + e.getMessage());
    }
    List<Verification> verifications = new ArrayList<>();
    for (Artifact artifact : models) {
      verifications.add(
          artifact.format().equals(model.format())
              ? verify(model, artifact, samples, expected)
              : Verification.notVerified(artifact.path(), "it runs in Python alone"));
    }
    return verifications;
  }

  private static List<Verification> notVerified(List<Artifact> artifacts, String reason) {
    return artifacts.stream()
        .map(artifact -> Verification.notVerified(artifact.path(), reason))
        .toList();
  }

  private Verification verify(
      QuantizableModel model,
      Artifact artifact,
      TensorBatch samples,
      Map<String, Tensor> expected) {
    int count = FirstSamples.count(samples);
    Supplier<Set<String>> variable = () -> dependingOnValues(model, samples, expected);
    try (ModelRunner runner = runners.open(artifact.path(), artifact.format())) {
      OutputComparison comparison =
          OutputComparison.of(expected, runner.run(samples), minSqnr(), variable);
      if (comparison.fault().isEmpty()) {
        comparison = comparison.and(unoptimized(model, artifact, samples, expected, variable));
      }
      return new Verification(
          artifact.path(),
          comparison.fault().isPresent() ? Status.REJECTED : Status.VERIFIED,
          comparison.fault().orElse(null),
          count,
          comparison.sqnrByOutput());
    } catch (UnavailableException e) {
      return Verification.notVerified(artifact.path(), String.valueOf(e.getMessage()));
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException e) {
      return new Verification(
          artifact.path(),
          Status.REJECTED,
          "it does not load or run: " + e.getMessage(),
          count,
          Map.of());
    }
  }

  /**
   * The artifact without the runtime's optimizations. It has no fault there if the source has the
   * same: not every runtime can compute every model that way.
   */
  private OutputComparison unoptimized(
      QuantizableModel model,
      Artifact artifact,
      TensorBatch samples,
      Map<String, Tensor> expected,
      Supplier<Set<String>> variable) {
    Optional<OutputComparison> comparison =
        unoptimized(artifact.path(), artifact.format(), samples, expected, variable);
    if (comparison.isEmpty()) {
      return OutputComparison.NOTHING;
    }
    if (comparison.get().fault().isPresent()) {
      Optional<OutputComparison> ofSource =
          unoptimized(model.source(), model.format(), samples, expected, variable);
      if (ofSource.isPresent() && ofSource.get().fault().isPresent()) {
        return OutputComparison.NOTHING;
      }
    }
    return comparison.get();
  }

  private Optional<OutputComparison> unoptimized(
      Path file,
      String format,
      TensorBatch samples,
      Map<String, Tensor> expected,
      Supplier<Set<String>> variable) {
    Optional<ModelRunner> opened;
    try {
      opened = runners.openUnoptimized(file, format);
      if (opened.isEmpty()) {
        return Optional.empty();
      }
      try (ModelRunner runner = opened.get()) {
        return Optional.of(
            OutputComparison.of(expected, runner.run(samples), minSqnr(), variable)
                .in("without the runtime's optimizations"));
      }
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException e) {
      return Optional.of(
          OutputComparison.failed(
              "it does not load or run without the runtime's optimizations: " + e.getMessage()));
    }
  }

  private Set<String> dependingOnValues(
      QuantizableModel model, TensorBatch samples, Map<String, Tensor> expected) {
    try (ModelRunner source = runners.open(model.source(), model.format())) {
      return OutputShapes.dependingOnValues(source, samples, expected);
    }
  }

  private double minSqnr() {
    Double configured = config.minSqnr();
    return configured == null ? DEFAULT_MIN_SQNR : configured;
  }
}
