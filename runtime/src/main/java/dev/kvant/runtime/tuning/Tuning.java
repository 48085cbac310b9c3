package dev.kvant.runtime.tuning;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.DataException;
import dev.kvant.api.Device;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.Internal;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationListener;
import dev.kvant.runtime.calibration.DataFingerprint;
import dev.kvant.runtime.calibration.KnownStatistics;
import dev.kvant.runtime.calibration.ModelFingerprint;
import dev.kvant.runtime.data.CalibrationFiles;
import dev.kvant.runtime.data.DataReaders;
import dev.kvant.runtime.data.InputBatch;
import dev.kvant.runtime.data.InputBatches;
import dev.kvant.runtime.data.SelectedSamples;
import dev.kvant.runtime.verification.RunnerSource;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ProgressReporter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Quantizes one model in several ways, and compares what comes out.
 *
 * @since 0.1.0
 */
@Internal
public final class Tuning {

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
          read(data, Math.min(request.samples(), size(data)), request.samples());
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

  /** The first samples of the data, in memory. */
  private List<InputBatch> read(EvaluationConfig data, int batchSize, int most) {
    List<InputBatch> batches = new ArrayList<>();
    try (InputBatches reading =
        InputBatches.open(
            readers,
            new EvaluationConfig(data.data(), batchSize),
            model.inputs(),
            remark -> {},
            reader -> new SelectedSamples(reader, most, sample -> true))) {
      for (Optional<InputBatch> next = reading.next(); next.isPresent(); next = reading.next()) {
        batches.add(next.get());
      }
    }
    if (batches.isEmpty()) {
      throw new DataException("%s has no samples".formatted(data.data().path()));
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
