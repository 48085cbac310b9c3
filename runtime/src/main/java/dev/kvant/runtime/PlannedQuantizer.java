package dev.kvant.runtime;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.FinishedStep;
import dev.kvant.api.FinishedStep.Outcome;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.Operand;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.api.Verification;
import dev.kvant.api.VerificationException;
import dev.kvant.runtime.calibration.CalibratedRun;
import dev.kvant.runtime.calibration.KnownStatistics;
import dev.kvant.runtime.plan.Planner;
import dev.kvant.runtime.provenance.ArtifactManifest;
import dev.kvant.runtime.report.QuantizedBefore;
import dev.kvant.runtime.tuning.TrialQuantizer;
import dev.kvant.runtime.verification.FirstBatch;
import dev.kvant.runtime.verification.FirstWrongModule;
import dev.kvant.runtime.verification.RecordedVerification;
import dev.kvant.runtime.verification.RejectedArtifacts;
import dev.kvant.runtime.verification.RunnerSource;
import dev.kvant.runtime.verification.TemporaryFolder;
import dev.kvant.runtime.verification.Verifier;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.ModeDescriptor.Calibration;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.RunContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Plans for every model, and has a run of the backend do the work. */
final class PlannedQuantizer implements ModelQuantizer, TrialQuantizer {

  /** A model whose run is ready to be saved. */
  private record Quantized(PreparedModel prepared, CalibratedRun run) implements QuantizedModel {

    @Override
    public QuantizationPlan plan() {
      return prepared.plan();
    }

    @Override
    public void close() {
      run.close();
    }
  }

  private final QuantizationBackend backend;
  private final BackendDescriptor descriptor;
  private final ModeDescriptor abilities;
  private final RunContext context;
  private final List<QuantizationWarning> configWarnings;
  private final ToldWarnings told;
  private final RunnerSource runners;
  private final DataFiles files;
  private final Planner planner;
  private final IdentityHashMap<PreparedModel, CalibratedRun> runs = new IdentityHashMap<>();
  private final IdentityHashMap<PreparedModel, FirstBatch> data = new IdentityHashMap<>();

  private @Nullable PreparedModel lastPrepared;
  private @Nullable QuantizedModel lastQuantized;
  private boolean closed;

  /**
   * @param backend does the work
   * @param descriptor describes the backend
   * @param context the validated configuration and what else a run works with
   * @param configWarnings what validation had to say; becomes part of every plan
   * @param told the listener of the context
   * @param runners loads what is written and its source, to compare them
   * @param files opens data that a configuration names
   */
  PlannedQuantizer(
      QuantizationBackend backend,
      BackendDescriptor descriptor,
      RunContext context,
      List<QuantizationWarning> configWarnings,
      ToldWarnings told,
      RunnerSource runners,
      DataFiles files) {
    this.backend = backend;
    this.descriptor = descriptor;
    this.abilities = Objects.requireNonNull(descriptor.modes().get(context.mode()), "mode");
    this.context = context;
    this.configWarnings = List.copyOf(configWarnings);
    this.told = told;
    this.runners = runners;
    this.files = files;
    this.planner = new Planner(context.config(), backend);
  }

  @Override
  public ModelQuantizationConfig config() {
    return context.config();
  }

  @Override
  public PreparedModel prepare(QuantizableModel model) {
    Objects.requireNonNull(model, "model");
    return step("prepare", () -> planned(model));
  }

  private PreparedModel planned(QuantizableModel model) {
    List<String> formats = descriptor.formats();
    if (Planner.readableAs(model, descriptor).isEmpty()) {
      throw new UnsupportedModelException(
          "%s is a model of format '%s', which backend '%s' does not take; it takes %s%s"
              .formatted(
                  model.source(),
                  model.format(),
                  descriptor.id(),
                  String.join(", ", formats),
                  backend.remedy(model.format()).map("; "::concat).orElse("")));
    }
    QuantizedBefore.refuse(model);
    Path directory = config().resultsDir();
    if (directory != null) {
      refuseToReplace(model, directory);
    }
    QuantizableModel cleaned = backend.prepare(model, context);
    QuantizationPlan decided = planner.plan(cleaned);
    List<QuantizationWarning> warnings = new ArrayList<>(configWarnings);
    warnings.addAll(decided.warnings());
    told.forget();
    warnings.forEach(this::warn);
    PreparedModel prepared =
        new PreparedModel(
            cleaned,
            new QuantizationPlan(
                decided.backend(),
                decided.mode(),
                decided.modules(),
                decided.operators(),
                warnings));
    run(prepared);
    lastPrepared = prepared;
    return prepared;
  }

  private CalibratedRun run(PreparedModel prepared) {
    CalibratedRun known = runs.get(prepared);
    if (known != null && !known.isClosed()) {
      return known;
    }
    var run =
        new CalibratedRun(
            backend.begin(prepared.model(), prepared.plan(), context), prepared.model(), context);
    runs.put(prepared, run);
    return run;
  }

  @Override
  public void calibrate(PreparedModel model, CalibrationDataset dataset) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(dataset, "dataset");
    step(
        "calibrate",
        () -> {
          var remembering = new FirstBatch(dataset);
          data.put(model, remembering);
          try (remembering) {
            if (abilities.calibrates()) {
              run(model).observe(remembering);
            } else {
              warnOfUnusedData();
            }
          }
          return model;
        });
  }

  @Override
  public void calibrate(PreparedModel model, List<Path> statistics) {
    Objects.requireNonNull(model, "model");
    List<Path> files = List.copyOf(statistics);
    step(
        "calibrate",
        () -> {
          if (abilities.calibrates()) {
            run(model).use(files);
          } else {
            warnOfUnusedData();
          }
          return model;
        });
  }

  @Override
  public void calibrate(PreparedModel model, CalibrationDataset dataset, KnownStatistics known) {
    if (abilities.calibrates()) {
      data.put(model, new FirstBatch(dataset));
      step(
          "calibrate",
          () -> {
            run(model).observe(dataset, known);
            return model;
          });
    }
  }

  @Override
  public List<List<String>> groups(PreparedModel model) {
    return run(model).groups();
  }

  @Override
  public SavedModel save(PreparedModel model, QuantizationPlan plan, Path directory) {
    begin("save");
    try (CalibratedRun run = run(model).again(backend.begin(model.model(), plan, context))) {
      run.quantize();
      return run.save(directory);
    }
  }

  @Override
  public SavedModel saveVerified(PreparedModel model, Path directory) {
    return saveModel(quantize(model), directory);
  }

  @Override
  public String backend() {
    return descriptor.id() + " " + descriptor.version();
  }

  @Override
  public boolean hasStatistics(PreparedModel model) {
    return run(model).hasStatistics();
  }

  @Override
  public void saveStatisticsIfAny(PreparedModel model, Path file) {
    if (hasStatistics(model)) {
      saveStatistics(model, file);
    }
  }

  @Override
  public void saveStatistics(PreparedModel model, Path file) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(file, "file");
    step(
        "save statistics",
        () -> {
          if (!abilities.calibrates()) {
            throw new CalibrationException(
                "backend '%s' in %s uses no calibration data, so that there are no statistics to write"
                    .formatted(descriptor.id(), context.mode()));
          }
          run(model).writeStatistics(file);
          return model;
        });
  }

  @Override
  public QuantizedModel quantize() {
    begin("quantize");
    if (lastPrepared == null) {
      throw new IllegalStateException("nothing is prepared; call prepare(model) first");
    }
    return quantize(lastPrepared);
  }

  @Override
  public QuantizedModel quantize(PreparedModel model) {
    Objects.requireNonNull(model, "model");
    QuantizedModel quantized =
        step(
            "quantize",
            () -> {
              CalibratedRun run = run(model);
              requireStatistics(model.plan(), run);
              run.quantize();
              return new Quantized(model, run);
            });
    lastQuantized = quantized;
    return quantized;
  }

  private void requireStatistics(QuantizationPlan plan, CalibratedRun run) {
    if (abilities.calibration() == Calibration.REQUIRED && run.lacksStatistics()) {
      Operand operand = abilities.activations().isEmpty() ? Operand.WEIGHTS : Operand.ACTIVATIONS;
      long modules =
          plan.modules().stream().filter(each -> each.operand(operand).isQuantized()).count();
      throw new CalibrationException(
          "backend '%s' in %s requires calibration data to quantize the %s of %d modules; give some with --calibration or calibration.path, or leave %s native"
              .formatted(
                  descriptor.id(),
                  context.mode(),
                  operand == Operand.WEIGHTS ? "weights" : "activations",
                  modules,
                  operand == Operand.WEIGHTS ? "these modules" : "activations"));
    }
  }

  @Override
  public QuantizedModel quantizeModel(QuantizableModel model) {
    return quantize(prepare(model));
  }

  @Override
  public QuantizedModel quantizeModel(QuantizableModel model, CalibrationDataset dataset) {
    Objects.requireNonNull(dataset, "dataset");
    PreparedModel prepared = prepare(model);
    if (abilities.calibrates()) {
      calibrate(prepared, dataset);
    } else {
      data.put(prepared, new FirstBatch(dataset));
      warnOfUnusedData();
    }
    return quantize(prepared);
  }

  @Override
  public SavedModel saveModel() {
    begin("save");
    if (lastQuantized == null) {
      throw new IllegalStateException("nothing is quantized; call quantize() first");
    }
    Path directory = config().resultsDir();
    if (directory == null) {
      throw new IllegalStateException(
          "there is no folder to save into; set results_dir or call saveModel(model, directory)");
    }
    return saveModel(lastQuantized, directory);
  }

  @Override
  public SavedModel saveModel(QuantizedModel model, Path directory) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(directory, "directory");
    return step(
        "save",
        () -> {
          if (!(model instanceof Quantized quantized)
              || runs.get(quantized.prepared()) != quantized.run()) {
            throw new IllegalArgumentException("model: was not quantized by this quantizer");
          }
          QuantizableModel source = quantized.prepared().model();
          refuseToReplace(source, directory);
          SavedModel written = quantized.run().save(directory);
          written.report().warnings().forEach(told::tell);
          ArtifactManifest.forget(directory, written);
          SavedModel saved;
          try {
            saved = verified(quantized, written);
          } catch (VerificationException e) {
            ArtifactManifest.add(directory, e.saved(), source, config());
            throw e;
          }
          ArtifactManifest.add(directory, saved, source, config());
          context.listener().onSaved(saved);
          return saved;
        });
  }

  private SavedModel verified(Quantized quantized, SavedModel saved) {
    PreparedModel prepared = quantized.prepared();
    Optional<TensorBatch> samples =
        config().verify().enabled() ? samples(prepared) : Optional.empty();
    Verifier verifier =
        new Verifier(
            runners, config().verify(), prepared.model(), samples, observedRanges(prepared.plan()));
    List<Verification> verifications = verifier.verify(saved);
    verifications.stream().flatMap(result -> result.warning().stream()).forEach(this::warn);
    verifications.forEach(verification -> record(verification, saved));
    SavedModel result = new SavedModel(saved.artifacts(), saved.report(), verifications);
    if (verifications.stream().noneMatch(Verification::isRejected)) {
      return result;
    }
    Optional<String> first =
        FirstWrongModule.of(prepared.plan(), plan -> isWrong(prepared, plan, verifier));
    return RejectedArtifacts.keepAside(result, first);
  }

  private void record(Verification verification, SavedModel saved) {
    saved.artifacts().stream()
        .filter(artifact -> artifact.path().equals(verification.artifact()))
        .findFirst()
        .ifPresent(
            artifact -> RecordedVerification.write(runners, verification, artifact.format()));
  }

  private boolean observedRanges(QuantizationPlan plan) {
    return abilities.calibrates()
        && plan.modules().stream().anyMatch(module -> module.activations().isQuantized());
  }

  private Optional<TensorBatch> samples(PreparedModel prepared) {
    FirstBatch given = data.get(prepared);
    if (given != null) {
      return given.batch();
    }
    EvaluationConfig evaluation = config().evaluation();
    if (evaluation == null) {
      return Optional.empty();
    }
    return new FirstBatch(
            files.of(
                new CalibrationConfig(
                    evaluation.data(), evaluation.batchSize(), 1, NonFiniteValues.REFUSE),
                prepared.model()))
        .batch();
  }

  /** Whether an artifact of that plan would be rejected. */
  private boolean isWrong(PreparedModel prepared, QuantizationPlan plan, Verifier verifier) {
    try (TemporaryFolder folder = TemporaryFolder.create()) {
      return verifier.verify(save(prepared, plan, folder.path())).stream()
          .anyMatch(Verification::isRejected);
    } catch (UnsupportedModelException e) {
      // Not every part of a plan can be written, and what is not written is not wrong.
      return false;
    }
  }

  /** A model whose own artifact replaced one of its files would be lost; not every model is one. */
  @Override
  public void refuseToReplace(QuantizableModel model, Path directory) {
    ArtifactManifest.check(directory);
    for (Path source : model.files()) {
      if (!Files.exists(source)) {
        continue;
      }
      for (String artifact : descriptor.files()) {
        Path target = directory.resolve(artifact);
        try {
          if (Files.exists(target) && Files.isSameFile(target, source)) {
            throw new UnsupportedModelException(
                source.equals(model.source())
                    ? "the artifact would replace the model %s itself; save into another folder"
                        .formatted(source)
                    : "the artifact would replace %s, which holds the tensors of the model %s itself; save into another folder"
                        .formatted(target, model.source()));
          }
        } catch (IOException e) {
          throw new UncheckedIOException("%s cannot be looked at".formatted(target), e);
        }
      }
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      lastPrepared = null;
      lastQuantized = null;
      runs.values().forEach(CalibratedRun::close);
    }
  }

  /** Does the work of a step and tells the listener how that ended. */
  private <T> T step(String step, Supplier<T> work) {
    begin(step);
    long start = System.nanoTime();
    T result;
    try {
      result = work.get();
    } catch (RuntimeException | Error e) {
      Outcome outcome =
          e instanceof QuantizationCancelledException ? Outcome.CANCELLED : Outcome.FAILED;
      try {
        finished(step, start, outcome);
      } catch (RuntimeException | Error another) {
        e.addSuppressed(another);
      }
      throw e;
    }
    finished(step, start, Outcome.DONE);
    return result;
  }

  private void finished(String step, long start, Outcome outcome) {
    Duration duration = Duration.ofNanos(System.nanoTime() - start);
    context.listener().onFinished(new FinishedStep(step, descriptor.id(), duration, outcome));
  }

  private void begin(String step) {
    if (closed) {
      throw new IllegalStateException("this quantizer is closed");
    }
    if (Thread.currentThread().isInterrupted()) {
      throw new QuantizationCancelledException(
          "'%s' was interrupted before it began".formatted(step));
    }
  }

  private void warnOfUnusedData() {
    warn(
        new QuantizationWarning(
            QuantizationWarning.Kind.CALIBRATION,
            "calibration data is not used: backend '%s' calibrates nothing in %s"
                .formatted(descriptor.id(), context.mode()),
            null,
            List.of()));
  }

  private void warn(QuantizationWarning warning) {
    context.listener().onWarning(warning);
  }
}
