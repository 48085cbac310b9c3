package dev.kvant.runtime;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.FinishedStep;
import dev.kvant.api.FinishedStep.Outcome;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.plan.Planner;
import dev.kvant.spi.Calibratable;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Plans for every model and has a backend's quantizer do the work. */
final class PlannedQuantizer implements ModelQuantizer {

  private final QuantizationBackend backend;
  private final QuantizerContext context;
  private final List<QuantizationWarning> configWarnings;
  private final Planner planner;
  private final Quantizer quantizer;
  private final IdentityHashMap<QuantizedModel, PreparedModel> given = new IdentityHashMap<>();

  private @Nullable PreparedModel lastPrepared;
  private @Nullable QuantizedModel lastQuantized;
  private boolean closed;

  /**
   * @param backend does the work
   * @param context the validated configuration and what else the backend works with
   * @param configWarnings what validation had to say; becomes part of every plan
   */
  PlannedQuantizer(
      QuantizationBackend backend,
      QuantizerContext context,
      List<QuantizationWarning> configWarnings) {
    this.backend = backend;
    this.context = context;
    this.configWarnings = List.copyOf(configWarnings);
    this.planner = new Planner(context.config(), backend);
    this.quantizer = backend.create(context);
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
    List<String> formats = backend.descriptor().formats();
    if (!formats.contains(model.format())) {
      throw new UnsupportedModelException(
          "%s is a model of format '%s', which backend '%s' does not take; it takes %s%s"
              .formatted(
                  model.source(),
                  model.format(),
                  backend.descriptor().id(),
                  String.join(", ", formats),
                  backend.remedy(model.format()).map("; "::concat).orElse("")));
    }
    refuseToQuantizeTwice(model);
    Path directory = config().resultsDir();
    if (directory != null) {
      refuseToReplace(model, directory);
    }
    QuantizationPlan decided = planner.plan(model);
    List<QuantizationWarning> warnings = new ArrayList<>(configWarnings);
    warnings.addAll(decided.warnings());
    warnings.forEach(this::warn);
    PreparedModel prepared =
        new PreparedModel(
            model,
            new QuantizationPlan(decided.backend(), decided.mode(), decided.modules(), warnings));
    quantizer.prepare(prepared);
    lastPrepared = prepared;
    return prepared;
  }

  @Override
  public void calibrate(PreparedModel model, CalibrationDataset data) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(data, "data");
    step(
        "calibrate",
        () -> {
          if (quantizer instanceof Calibratable calibratable) {
            calibratable.calibrate(model, data);
          } else {
            warnOfUnusedData();
          }
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
    QuantizedModel quantized = step("quantize", () -> quantizer.quantize(model));
    given.put(quantized, model);
    lastQuantized = quantized;
    return quantized;
  }

  @Override
  public QuantizedModel quantizeModel(QuantizableModel model) {
    return quantize(prepare(model));
  }

  @Override
  public QuantizedModel quantizeModel(QuantizableModel model, CalibrationDataset data) {
    Objects.requireNonNull(data, "data");
    PreparedModel prepared = prepare(model);
    if (quantizer instanceof Calibratable && config().mode() == QuantizationMode.STATIC_PTQ) {
      calibrate(prepared, data);
    } else {
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
          PreparedModel prepared = given.get(model);
          if (prepared != null) {
            refuseToReplace(prepared.model(), directory);
          }
          SavedModel saved = quantizer.save(model, directory);
          context.listener().onSaved(saved);
          return saved;
        });
  }

  private static void refuseToQuantizeTwice(QuantizableModel model) {
    model
        .plan()
        .filter(plan -> !plan.quantized().isEmpty())
        .ifPresent(
            plan -> {
              throw new UnsupportedModelException(
                  "%s is quantized already, by backend '%s' in %s; start from the model that it was made of"
                      .formatted(model.source(), plan.backend(), plan.mode()));
            });
  }

  /** A model that its own artifact replaced would be lost; not every model is a file. */
  private void refuseToReplace(QuantizableModel model, Path directory) {
    if (!Files.exists(model.source())) {
      return;
    }
    for (String artifact : backend.descriptor().artifacts()) {
      Path target = directory.resolve(artifact);
      try {
        if (Files.exists(target) && Files.isSameFile(target, model.source())) {
          throw new UnsupportedModelException(
              "the artifact would replace the model %s itself; save into another folder"
                  .formatted(model.source()));
        }
      } catch (IOException e) {
        throw new UncheckedIOException("%s cannot be looked at".formatted(target), e);
      }
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      lastPrepared = null;
      lastQuantized = null;
      given.keySet().forEach(QuantizedModel::close);
      quantizer.close();
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
    context
        .listener()
        .onFinished(new FinishedStep(step, backend.descriptor().id(), duration, outcome));
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
                .formatted(backend.descriptor().id(), config().mode()),
            null,
            List.of()));
  }

  private void warn(QuantizationWarning warning) {
    context.listener().onWarning(warning);
  }
}
