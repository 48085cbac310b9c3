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
import dev.kvant.api.Recipe;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.runtime.calibration.DataFingerprint;
import dev.kvant.runtime.calibration.KnownStatistics;
import dev.kvant.runtime.calibration.ModelFingerprint;
import dev.kvant.runtime.data.CalibrationFiles;
import dev.kvant.runtime.data.DataReaders;
import dev.kvant.runtime.data.InputBatch;
import dev.kvant.runtime.data.InputBatches;
import dev.kvant.runtime.data.InputTypes;
import dev.kvant.runtime.data.SelectedSamples;
import dev.kvant.runtime.evaluation.FileBytes;
import dev.kvant.runtime.verification.RunnerSource;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ProgressReporter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.LongPredicate;

/**
 * Quantizes one model in several ways, and compares what comes out.
 *
 * @since 0.1.0
 */
@Internal
public final class Tuning {

  /** The file of statistics beside the best artifact. */
  static final String STATISTICS = "calibration.statistics";

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
      List<InputBatch> batches =
          read(data, Math.min(request.samples(), size(data)), request.samples(), i -> true);
      if (batches.isEmpty()) {
        throw new DataException("%s has no samples".formatted(data.data().path()));
      }
      RunnerSource source = runners.apply(config.device());
      ProgressReporter progress = new ProgressReporter(listener, "run the source", -1, "samples");
      Trials trials;
      try (ModelRunner runner = source.open(model)) {
        trials = Trials.of(source, model, runner, batches, progress);
      }
      CalibrationConfig calibration = config.calibration();
      if (calibration != null) {
        quantizer.calibrate(
            prepared,
            new CalibrationFiles(readers, calibration, model.inputs(), remark -> {}),
            new KnownStatistics());
      }
      FinishedGroups finished =
          request.finished() == null
              ? FinishedGroups.nowhere()
              : FinishedGroups.in(request.finished(), fingerprint(config, prepared, batches));
      return new Analysis(quantizer, prepared, trials, finished, listener).run(request.onGroup());
    }
  }

  /**
   * Searches for the best configuration.
   *
   * @param recipes the recipes to try, the most promising first
   */
  public TuningResult tune(List<Recipe> recipes, TuningRequest request) {
    CalibrationConfig config = Objects.requireNonNull(request.recipes().calibration());
    Integer size = config.batchSize();
    int batchSize = size == null ? BATCH_SIZE : size;
    EvaluationConfig data = new EvaluationConfig(config.data(), batchSize);
    // Every second sample calibrates, and the others are searched with and held out in turns.
    List<InputBatch> calibrating = read(data, batchSize, request.samples(), i -> i % 2 == 0);
    List<InputBatch> searching = read(data, batchSize, request.samples(), i -> i % 4 == 1);
    List<InputBatch> holding = read(data, batchSize, request.samples(), i -> i % 4 == 3);
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
              Trials.of(runner, model, source, searching, progress),
              Trials.of(runner, model, source, holding, progress),
              source,
              known,
              listener);
      boolean complete = search.run();
      return result(search.trials(), request, samples, complete, calibration, known);
    }
  }

  private TuningResult result(
      List<TuningTrial> trials,
      TuningRequest request,
      TuningResult.Samples samples,
      boolean complete,
      CalibrationDataset calibration,
      KnownStatistics known) {
    TuningTrial best = Search.best(trials, request, true).orElse(null);
    TuningTrial nearest = best == null ? Search.nearest(trials, request).orElse(null) : best;
    Recipe recipe =
        nearest == null
            ? null
            : new Explanation(trials).of(nearest, reason(nearest, best != null, request, samples));
    String miss =
        nearest == null || best != null || nearest.figures() == null
            ? null
            : request
                .budget()
                .excess(nearest.figures())
                .orElse("within the budget on held-out samples, but not on those of the search");
    Path output = request.output();
    SavedModel saved = null;
    KvantException failure = null;
    if (best != null && output != null) {
      try {
        saved = save(best.recipe().config(), output, calibration, known);
      } catch (KvantException e) {
        // What the search found is worth more than the artifact, which its spec makes again.
        failure = e;
      }
    }
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
        saved,
        failure,
        complete);
  }

  private String reason(
      TuningTrial trial, boolean isWithin, TuningRequest request, TuningResult.Samples samples) {
    TuningTrial.Measured figures = Objects.requireNonNull(trial.figures());
    return String.format(
        Locale.ROOT,
        "Found by a search for %s: %s. On %d held-out samples the mean cosine similarity to %s is"
            + " %.6f, the lowest %.6f; %.1f MB instead of %.1f MB, %.2f times as fast. %d of %d"
            + " samples calibrated it; their statistics are in %s, for 'kvant quantize"
            + " --statistics'.",
        request.preference().name().toLowerCase(Locale.ROOT),
        isWithin ? "the best within the budget" : "none is within the budget, this is the nearest",
        samples.heldOut(),
        model.source().getFileName(),
        figures.heldOut().similarity().cosineMean(),
        figures.heldOut().similarity().cosineMin(),
        figures.bytes() / 1e6,
        FileBytes.of(model.files()) / 1e6,
        figures.latency().speedup(),
        samples.calibration(),
        samples.calibration() + samples.search() + samples.heldOut(),
        STATISTICS);
  }

  /** Writes the artifact that was judged, once more, and verifies it. */
  private SavedModel save(
      ModelQuantizationConfig config,
      Path output,
      CalibrationDataset calibration,
      KnownStatistics known) {
    // An interrupt has ended the search, and not the writing of what it found.
    boolean wasInterrupted = Thread.interrupted();
    try (TrialQuantizer quantizer =
        quantizers.apply(config.toBuilder().resultsDir(output).build())) {
      PreparedModel prepared = quantizer.prepare(model);
      quantizer.calibrate(prepared, calibration, known);
      SavedModel saved = quantizer.saveVerified(prepared, output);
      quantizer.saveStatisticsIfAny(prepared, output.resolve(STATISTICS));
      return saved;
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
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

  /**
   * Samples of the data, in memory and in the types of the model's inputs.
   *
   * @param most how many samples of the data are looked at, from the first
   * @param selected whether one is used, by its position
   */
  private List<InputBatch> read(
      EvaluationConfig data, int batchSize, int most, LongPredicate selected) {
    InputTypes types = new InputTypes(model.inputs(), remark -> {});
    List<InputBatch> batches = new ArrayList<>();
    try (InputBatches reading =
        InputBatches.open(
            readers,
            new EvaluationConfig(data.data(), batchSize),
            model.inputs(),
            remark -> {},
            reader -> new SelectedSamples(reader, most, selected))) {
      for (Optional<InputBatch> next = reading.next(); next.isPresent(); next = reading.next()) {
        InputBatch batch = next.get();
        // Only classes are compared here; with other labels similarity decides.
        Tensor label = data.labels() == LabelKind.CLASSES ? batch.label() : null;
        batches.add(
            new InputBatch(types.convert(batch.inputs()), label, batch.samples(), batch.rows()));
      }
    }
    return batches;
  }

  private String fingerprint(
      ModelQuantizationConfig config, PreparedModel prepared, List<InputBatch> batches) {
    CalibrationDataset samples =
        CalibrationDataset.of(batches.stream().map(InputBatch::inputs).toList());
    return DataFingerprint.ofText(
        "%s %s %s %s %s %s"
            .formatted(
                ModelFingerprint.of(model),
                config.algorithm(),
                config.backendKwargs(),
                prepared.plan().modules(),
                config.calibration(),
                DataFingerprint.of(samples)));
  }
}
