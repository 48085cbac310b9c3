package dev.kvant.runtime.verification;

import dev.kvant.api.Artifact;
import dev.kvant.api.Internal;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnavailableException;
import dev.kvant.api.Verification;
import dev.kvant.api.Verification.Status;
import dev.kvant.api.VerificationConfig;
import dev.kvant.runtime.data.PaddedPositions;
import dev.kvant.spi.ModelRunner;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs artifacts of one model and their source on the same samples, see {@link Verification}. The
 * source runs once, however many artifacts are compared with it.
 *
 * @since 0.1.0
 */
@Internal
public final class Verifier {

  /** An artifact whose noise exceeds its signal gives nothing of what the source gives. */
  private static final double DEFAULT_MIN_SQNR = 0;

  /** Two runs of one model that are less alike than that do not depend on their input alone. */
  private static final double DETERMINISTIC = 60;

  /** What the source returns for samples. */
  private record Expected(TensorBatch samples, boolean synthetic, Map<String, Tensor> outputs) {}

  /** Why nothing can be compared with the source. */
  private static final class NotVerifiable extends RuntimeException {

    private static final long serialVersionUID = 1;

    NotVerifiable(String reason) {
      super(reason, null, false, false);
    }

    String reason() {
      return String.valueOf(getMessage());
    }
  }

  private final RunnerSource runners;
  private final VerificationConfig config;
  private final QuantizableModel model;
  private final Optional<TensorBatch> data;
  private final boolean rangesFromData;
  private @Nullable Expected expected;
  private @Nullable Expected single;
  private @Nullable NotVerifiable obstacle;

  /**
   * @param runners loads source and artifacts
   * @param config on how many samples, and what the artifacts must reach
   * @param model the source; open until the last artifact is verified
   * @param data what to run; empty if there is no data
   * @param rangesFromData whether the artifacts clip activations to ranges that were observed in
   *     data, so that they need not be close to the source on other values
   */
  public Verifier(
      RunnerSource runners,
      VerificationConfig config,
      QuantizableModel model,
      Optional<TensorBatch> data,
      boolean rangesFromData) {
    this.runners = runners;
    this.config = config;
    this.model = model;
    this.data = data;
    this.rangesFromData = rangesFromData;
  }

  /**
   * Verifies all model files among the artifacts. What nothing installed runs is read back and
   * compared with the source's tensors.
   */
  public List<Verification> verify(SavedModel saved) {
    List<Verification> verifications = new ArrayList<>();
    for (Artifact artifact : saved.artifacts()) {
      if (artifact.isModel()) {
        verifications.add(verify(artifact, saved.report()));
      }
    }
    return verifications;
  }

  private Verification verify(Artifact artifact, QuantizationReport report) {
    if (!config.enabled()) {
      return Verification.notVerified(artifact.path(), "verification is off");
    }
    if (!artifact.format().equals(model.format()) || !runners.runs(artifact.format())) {
      return readBack(artifact, report);
    }
    try {
      return verify(artifact, expected());
    } catch (NotVerifiable e) {
      return Verification.notVerified(artifact.path(), e.reason());
    }
  }

  private Verification readBack(Artifact artifact, QuantizationReport report) {
    StoredWeights weights;
    try {
      Optional<QuantizableModel> opened = runners.read(artifact.path(), artifact.format());
      if (opened.isEmpty()) {
        return Verification.notVerified(
            artifact.path(),
            "nothing installed runs or reads models of format '%s'".formatted(artifact.format()));
      }
      try (QuantizableModel stored = opened.get()) {
        weights = StoredWeights.of(model, stored, report);
      }
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException e) {
      return Verification.builder(artifact.path(), Status.REJECTED)
          .reason("it cannot be read back: " + e.getMessage())
          .build();
    }
    return Verification.builder(artifact.path(), weights.status())
        .reason(weights.reason())
        .tensors(weights.compared(), weights.sqnrByTensor())
        .build();
  }

  private Expected expected() {
    if (obstacle != null) {
      throw obstacle;
    }
    if (expected == null) {
      try {
        expected = runSource();
      } catch (NotVerifiable e) {
        obstacle = e;
        throw e;
      }
    }
    return expected;
  }

  private Expected runSource() {
    try (ModelRunner source = runners.open(model)) {
      Expected first = data.isPresent() ? onData(source, data.get()) : onSynthetic(source);
      single = single(source, first);
      if (OutputComparison.of(
              single.outputs(),
              source.run(single.samples()),
              PaddedPositions.of(single.samples()),
              DETERMINISTIC,
              Set::of)
          .fault()
          .isPresent()) {
        throw new NotVerifiable("two runs of the source differ: it is not deterministic");
      }
      return first;
    } catch (UnavailableException e) {
      throw new NotVerifiable(String.valueOf(e.getMessage()));
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException e) {
      throw new NotVerifiable("the source does not run: " + e.getMessage());
    }
  }

  /** The first sample alone, for what need not be proven on all; all where the batch is fixed. */
  private static Expected single(ModelRunner source, Expected all) {
    TensorBatch samples = FirstSamples.of(all.samples(), 1);
    try {
      return new Expected(samples, all.synthetic(), source.run(samples));
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException e) {
      return all;
    }
  }

  private Expected onData(ModelRunner source, TensorBatch batch) {
    TensorBatch samples = FirstSamples.of(batch, config.samples());
    try {
      return new Expected(samples, false, source.run(samples));
    } catch (QuantizationCancelledException | UnavailableException e) {
      throw e;
    } catch (KvantException e) {
      // A model with a fixed batch size runs whole batches only; it may fail in any operator.
      if (samples.equals(batch)) {
        throw e;
      }
      return new Expected(batch, false, source.run(batch));
    }
  }

  private Expected onSynthetic(ModelRunner source) {
    String remedy = "name data under calibration or evaluation";
    KvantException first = null;
    for (TensorBatch batch :
        SyntheticBatches.of(source.inputs(), model.modules(), runners.device())) {
      try {
        Map<String, Tensor> outputs = source.run(batch);
        if (OutputComparison.saysAnything(outputs)) {
          return new Expected(batch, true, outputs);
        }
      } catch (QuantizationCancelledException e) {
        throw e;
      } catch (KvantException e) {
        first = first == null ? e : first;
      }
    }
    throw new NotVerifiable(
        first == null
            ? "there is no data to run it on, and its inputs are not known; " + remedy
            : "there is no data, and the source does not run on inputs made from its signature; %s (%s)"
                .formatted(remedy, first.getMessage()));
  }

  private Verification verify(Artifact artifact, Expected source) {
    int count = FirstSamples.count(source.samples());
    try (ModelRunner runner = runners.open(artifact.path(), artifact.format())) {
      OutputComparison comparison = compare(source, runner);
      if (comparison.fault().isEmpty()) {
        comparison =
            new OutputComparison(
                comparison.sqnrByOutput(), unoptimized(artifact, single(source)).fault());
      }
      return Verification.builder(
              artifact.path(), comparison.fault().isPresent() ? Status.REJECTED : Status.VERIFIED)
          .reason(comparison.fault().orElse(null))
          .samples(count, source.synthetic())
          .outputs(isCloseRequired(source) ? comparison.sqnrByOutput() : Map.of())
          .build();
    } catch (UnavailableException e) {
      return Verification.notVerified(artifact.path(), String.valueOf(e.getMessage()));
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException e) {
      return Verification.builder(artifact.path(), Status.REJECTED)
          .reason("it does not load or run: " + e.getMessage())
          .samples(count, source.synthetic())
          .build();
    }
  }

  private Expected single(Expected all) {
    return single == null ? all : single;
  }

  /**
   * The artifact without the runtime's optimizations. It has no fault there if the source has one:
   * not every runtime can compute every model that way.
   */
  private OutputComparison unoptimized(Artifact artifact, Expected source) {
    OutputComparison comparison = unoptimized(artifact.path(), artifact.format(), source);
    return comparison.fault().isPresent()
            && unoptimized(model.source(), model.format(), source).fault().isPresent()
        ? OutputComparison.NOTHING
        : comparison;
  }

  private OutputComparison unoptimized(Path file, String format, Expected source) {
    try {
      Optional<ModelRunner> opened = runners.openUnoptimized(file, format);
      if (opened.isEmpty()) {
        return OutputComparison.NOTHING;
      }
      try (ModelRunner runner = opened.get()) {
        return compare(source, runner).in("without the runtime's optimizations");
      }
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException e) {
      return OutputComparison.failed(
          "it does not load or run without the runtime's optimizations: " + e.getMessage());
    }
  }

  private OutputComparison compare(Expected source, ModelRunner runner) {
    Supplier<Set<String>> dependingOnValues =
        () -> {
          try (ModelRunner again = runners.open(model)) {
            return OutputShapes.dependingOnValues(again, source.samples(), source.outputs());
          }
        };
    return OutputComparison.of(
        source.outputs(),
        runner.run(source.samples()),
        PaddedPositions.of(source.samples()),
        minSqnr(source),
        dependingOnValues);
  }

  private boolean isCloseRequired(Expected source) {
    return !(source.synthetic() && rangesFromData);
  }

  private double minSqnr(Expected source) {
    if (!isCloseRequired(source)) {
      return Double.NEGATIVE_INFINITY;
    }
    Double configured = config.minSqnr();
    return configured == null ? DEFAULT_MIN_SQNR : configured;
  }
}
