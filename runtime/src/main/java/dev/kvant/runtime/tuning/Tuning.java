package dev.kvant.runtime.tuning;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.DataException;
import dev.kvant.api.Device;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.Internal;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.KvantException;
import dev.kvant.api.LabelKind;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Recipe;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.calibration.DataFingerprint;
import dev.kvant.runtime.calibration.KnownStatistics;
import dev.kvant.runtime.calibration.ModelFingerprint;
import dev.kvant.runtime.data.CalibrationFiles;
import dev.kvant.runtime.data.DataReaders;
import dev.kvant.runtime.data.InputBatch;
import dev.kvant.runtime.data.InputTypes;
import dev.kvant.runtime.data.StoredSamples;
import dev.kvant.runtime.evaluation.FileBytes;
import dev.kvant.runtime.verification.RunnerSource;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ProgressReporter;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongPredicate;

/**
 * Quantizes one model in several ways, and compares what comes out.
 *
 * @since 0.1.0
 */
@Internal
public final class Tuning {

  /** How many samples run at once where nothing says so. */
  private static final int BATCH_SIZE = 8;

  private final QuantizableModel model;
  private final Function<ModelQuantizationConfig, TrialQuantizer> quantizers;
  private final DataReaders readers;
  private final Function<Device, RunnerSource> runners;
  private final QuantizationListener listener;

  /**
   * @param model stays open
   * @param quantizers gives a quantizer for a configuration, or refuses it; closed by this
   * @param readers read data
   * @param runners load models on a device
   * @param listener hears of progress
   */
  @SuppressWarnings("exports") // Only this module makes one.
  public Tuning(
      QuantizableModel model,
      Function<ModelQuantizationConfig, TrialQuantizer> quantizers,
      DataReaders readers,
      Function<Device, RunnerSource> runners,
      QuantizationListener listener) {
    this.model = model;
    this.quantizers = quantizers;
    this.readers = readers;
    this.runners = runners;
    this.listener = listener;
  }

  /** Analyzes the sensitivity of the modules. */
  public SensitivityReport analyze(ModelQuantizationConfig config, AnalysisRequest request) {
    ModelQuantizationConfig unplaced = config.toBuilder().resultsDir(null).build();
    EvaluationConfig data = samples(config);
    try (TrialQuantizer quantizer = quantizers.apply(unplaced)) {
      PreparedModel prepared = quantizer.prepare(model);
      StoredSamples stored =
          StoredSamples.read(readers, data.data(), model.inputs(), request.samples());
      // Similarity decides here, and not labels, which may be of any kind.
      List<InputBatch> batches =
          batches(stored, Math.min(request.samples(), size(data)), false, i -> true);
      if (batches.isEmpty()) {
        throw new DataException("%s has no samples".formatted(data.data().path()));
      }
      RunnerSource source = runners.apply(config.device());
      ProgressReporter progress = new ProgressReporter(listener, "run the source", -1, "samples");
      Trials trials;
      try (ModelRunner runner = source.open(model)) {
        trials = Trials.of(source, model, runner, batches, null, progress);
      }
      CalibrationConfig calibration = config.calibration();
      String calibrated = "";
      if (calibration != null) {
        var marked =
            new DataFingerprint(
                new CalibrationFiles(readers, calibration, model.inputs(), remark -> {}));
        quantizer.calibrate(prepared, marked, new KnownStatistics());
        // Of no data where the mode uses none.
        calibrated = marked.value() + " " + calibration.nonFinite();
      }
      FinishedGroups finished =
          request.finished() == null
              ? FinishedGroups.nowhere()
              : FinishedGroups.in(
                  request.finished(),
                  fingerprint(config, quantizer.backend(), prepared, calibrated, batches));
      return new Analysis(quantizer, prepared, trials, finished, listener).run(request.onGroup());
    }
  }

  /**
   * Searches for the best configuration.
   *
   * @param recipes the recipes to try, the most promising first
   * @throws KvantException if nothing can be written into the folder for the best artifact
   * @throws UnsupportedModelException if that artifact would replace the model, or labels do not
   *     fit it
   */
  public TuningResult tune(List<Recipe> recipes, TuningRequest request) {
    CalibrationConfig config = Objects.requireNonNull(request.recipes().calibration());
    Integer size = config.batchSize();
    int batchSize = size == null ? BATCH_SIZE : size;
    EvaluationConfig data = new EvaluationConfig(config.data(), batchSize);
    if (request.output() != null) {
      check(request.output(), recipes);
    }
    StoredSamples stored =
        StoredSamples.read(readers, data.data(), model.inputs(), request.samples());
    // Every second sample calibrates, and the others are searched with and held out in turns.
    boolean isLabelled = data.labels() == LabelKind.CLASSES;
    List<InputBatch> calibrating = batches(stored, batchSize, false, i -> i % 2 == 0);
    List<InputBatch> searching = batches(stored, batchSize, isLabelled, i -> i % 4 == 1);
    List<InputBatch> holding = batches(stored, batchSize, isLabelled, i -> i % 4 == 3);
    TuningResult.Samples samples =
        new TuningResult.Samples(count(calibrating), count(searching), count(holding));
    int all = samples.calibration() + samples.search() + samples.heldOut();
    if (all < TuningRequest.FEWEST_SAMPLES) {
      throw new DataException(
          "%s has %d samples; tune needs at least %d: half of them calibrate, a quarter guides the search, and a quarter is held out to judge the result"
              .formatted(config.data().path(), all, TuningRequest.FEWEST_SAMPLES));
    }
    RunnerSource runner = runners.apply(Device.CPU);
    ProgressReporter progress = new ProgressReporter(listener, "run the source", -1, "samples");
    KnownStatistics known = new KnownStatistics();
    CalibrationDataset calibration = dataset(calibrating, config.nonFinite());
    try (ModelRunner source = runner.open(model)) {
      Search search =
          new Search(
              model,
              quantizers,
              request,
              recipes,
              calibration,
              Trials.of(runner, model, source, searching, request.retrieval(), progress),
              Trials.of(runner, model, source, holding, request.retrieval(), progress),
              source,
              known,
              listener,
              System::nanoTime);
      boolean complete = search.run();
      return keep(found(search, request, samples, complete), request, calibration, known);
    }
  }

  /** Makes sure before the long work that its result can be written. */
  private void check(Path output, List<Recipe> recipes) {
    try (var transaction = ArtifactTransaction.begin(output)) {
      transaction.create(TuningResult.STATISTICS);
    }
    Set<String> backends = new HashSet<>();
    for (Recipe recipe : recipes) {
      if (backends.add(recipe.config().backend())) {
        try (TrialQuantizer quantizer = quantizers.apply(unplaced(recipe.config()))) {
          quantizer.refuseToReplace(model, output);
        }
      }
    }
  }

  private static ModelQuantizationConfig unplaced(ModelQuantizationConfig config) {
    return config.toBuilder().resultsDir(null).build();
  }

  /** What the search found, before any of it is written. */
  private TuningResult found(
      Search search, TuningRequest request, TuningResult.Samples samples, boolean complete) {
    List<TuningTrial> trials = search.trials();
    TuningTrial best = Search.best(trials, request, true).orElse(null);
    TuningTrial nearest = best == null ? Search.nearest(trials, request).orElse(null) : best;
    boolean hasStatistics = best != null && request.output() != null && search.isCalibrated(best);
    Recipe recipe =
        nearest == null
            ? null
            : new Explanation(trials)
                .of(nearest, reason(nearest, best != null, hasStatistics, request, samples));
    String miss =
        nearest == null || best != null || nearest.figures() == null
            ? null
            : request
                .budget()
                .excess(nearest.figures())
                .orElse("within the budget on held-out samples, but not on those of the search");
    return new TuningResult(
        model.source(),
        FileBytes.of(model.files()),
        samples,
        trials,
        Search.frontier(trials),
        best,
        nearest,
        miss,
        recipe,
        null,
        null,
        complete);
  }

  /** Tells what was found, and writes the best artifact. */
  private TuningResult keep(
      TuningResult found,
      TuningRequest request,
      CalibrationDataset calibration,
      KnownStatistics known) {
    // An interrupt has ended the search, and not the writing of what it found.
    boolean wasInterrupted = Thread.interrupted();
    try {
      request.onFound().accept(found);
      return found.best() == null || request.output() == null
          ? found
          : found.with(
              save(found.best().recipe().config(), request.output(), calibration, known), null);
    } catch (RuntimeException e) {
      // What the search found is worth more than the artifact, which its spec makes again.
      return found.with(null, e);
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private String reason(
      TuningTrial trial,
      boolean isWithin,
      boolean hasStatistics,
      TuningRequest request,
      TuningResult.Samples samples) {
    TuningTrial.Measured figures = Objects.requireNonNull(trial.figures());
    return String.format(
        Locale.ROOT,
        "Found by a search for %s: %s. On %d held-out samples the mean cosine similarity to %s is"
            + " %.6f, the lowest %.6f%s; %.1f MB instead of %.1f MB, %.2f times as fast.%s",
        request.preference().name().toLowerCase(Locale.ROOT),
        isWithin ? "the best within the budget" : "none is within the budget, this is the nearest",
        samples.heldOut(),
        model.source().getFileName(),
        figures.heldOut().similarity().cosineMean(),
        figures.heldOut().similarity().cosineMin(),
        recall(figures.heldOut(), request),
        figures.bytes() / 1e6,
        FileBytes.of(model.files()) / 1e6,
        figures.latency().speedup(),
        hasStatistics
            ? " %d of %d samples calibrated it; their statistics are in %s, for 'kvant quantize --statistics'."
                .formatted(
                    samples.calibration(),
                    samples.calibration() + samples.search() + samples.heldOut(),
                    TuningResult.STATISTICS)
            : "");
  }

  private static String recall(Accuracy accuracy, TuningRequest request) {
    return accuracy.recall() == null || request.retrieval() == null
        ? ""
        : String.format(
            Locale.ROOT, ", recall@%d %.4f", request.retrieval().k(), accuracy.recall());
  }

  /** Writes the artifact that was judged, once more, and verifies it. */
  private SavedModel save(
      ModelQuantizationConfig config,
      Path output,
      CalibrationDataset calibration,
      KnownStatistics known) {
    try (TrialQuantizer quantizer =
        quantizers.apply(config.toBuilder().resultsDir(output).build())) {
      PreparedModel prepared = quantizer.prepare(model);
      quantizer.calibrate(prepared, calibration, known);
      quantizer.saveStatisticsIfAny(prepared, output.resolve(TuningResult.STATISTICS));
      return quantizer.saveVerified(prepared, output);
    }
  }

  private static int count(List<InputBatch> batches) {
    return batches.stream().mapToInt(InputBatch::samples).sum();
  }

  private static CalibrationDataset dataset(List<InputBatch> batches, NonFiniteValues nonFinite) {
    CalibrationDataset data =
        CalibrationDataset.of(batches.stream().map(InputBatch::inputs).toList());
    return new CalibrationDataset() {
      @Override
      public Iterator<TensorBatch> iterator() {
        return data.iterator();
      }

      @Override
      public OptionalLong batches() {
        return data.batches();
      }

      @Override
      public NonFiniteValues nonFinite() {
        return nonFinite;
      }
    };
  }

  private static EvaluationConfig samples(ModelQuantizationConfig config) {
    EvaluationConfig evaluation = config.evaluation();
    if (evaluation != null) {
      return evaluation;
    }
    CalibrationConfig calibration = config.calibration();
    if (calibration == null) {
      throw new InvalidConfigurationException(
          "quantize.calibration.path",
          "is required: outputs are compared on data; set it or give --data PATH");
    }
    return new EvaluationConfig(calibration.data(), calibration.batchSize());
  }

  private static int size(EvaluationConfig data) {
    Integer size = data.batchSize();
    return size == null ? EvaluationConfig.DEFAULT_BATCH_SIZE : size;
  }

  /** Some of the samples, in the types of the model's inputs. */
  private List<InputBatch> batches(
      StoredSamples samples, int batchSize, boolean isLabelled, LongPredicate selected) {
    InputTypes types = new InputTypes(model.inputs(), remark -> {});
    return samples.batches(model.inputs(), batchSize, selected).stream()
        .map(
            batch ->
                new InputBatch(
                    types.convert(batch.inputs()),
                    isLabelled ? batch.label() : null,
                    batch.samples(),
                    batch.rows()))
        .toList();
  }

  /**
   * What an analysis depends on.
   *
   * @param calibrated the fingerprint of the data that calibrated the model
   */
  private String fingerprint(
      ModelQuantizationConfig config,
      String backend,
      PreparedModel prepared,
      String calibrated,
      List<InputBatch> batches) {
    CalibrationDataset samples =
        CalibrationDataset.of(batches.stream().map(InputBatch::inputs).toList());
    QuantizationPlan plan = prepared.plan();
    return DataFingerprint.ofText(
        "%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s"
            .formatted(
                ModelFingerprint.of(model),
                backend,
                plan.mode(),
                config.algorithm(),
                config.backendKwargs(),
                plan.modules(),
                plan.operators(),
                calibrated,
                DataFingerprint.of(samples)));
  }
}
