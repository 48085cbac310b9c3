package dev.kvant.backend.modelopt;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.backend.modelopt.InputObserver.Level;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.Calibratable;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import dev.kvant.torch.ScriptModel;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Takes TorchScript models through static quantization with one configuration. */
final class ModelOptQuantizer implements Quantizer, Calibratable {

  /** What tensors pass through on their way into the checkpoint. */
  private static final int BLOCK_BYTES = 4 << 20;

  /**
   * What was observed, and of which model with which plan.
   *
   * @param cache where it was known from, if the model did not run
   */
  private record Calibrated(
      PreparedModel prepared, Map<String, InputStatistics> statistics, Optional<Path> cache) {}

  private final QuantizerContext context;
  private final ModelOptOptions options;
  private @Nullable Calibrated calibrated;

  ModelOptQuantizer(QuantizerContext context) {
    this.context = context;
    this.options = ModelOptOptions.of(context.config());
  }

  @Override
  public void prepare(PreparedModel model) {
    source(model);
    PlannedModule.of(model).forEach(ModelOptQuantizer::checkAxis);
  }

  private static void checkAxis(PlannedModule module) {
    Integer axis = module.decision().weights().settings().quantAxis();
    int dimensions = module.kind().dimensions();
    if (axis != null && module.decision().weights().isQuantized() && axis >= dimensions) {
      throw new UnsupportedModelException(
          "%s: quant_axis %d is none of its weight, which has %d dimensions; use 0 to %d, or leave it out for one range"
              .formatted(module.name(), axis, dimensions, dimensions - 1));
    }
  }

  private static ScriptModel source(PreparedModel prepared) {
    if (prepared.model() instanceof ScriptModel model) {
      return model;
    }
    throw new UnsupportedModelException(
        "%s is of the format %s, which has no forward to run; save the model with torch.jit.trace or torch.jit.script and torch.jit.save"
            .formatted(prepared.model().source(), prepared.model().format()));
  }

  @Override
  public void calibrate(PreparedModel prepared, CalibrationDataset data) {
    calibrated = null;
    Optional<Path> cache = options.calibrationCache();
    calibrated =
        cache.isEmpty()
            ? new Calibrated(
                prepared, observe(prepared, data, levels(prepared, false)), Optional.empty())
            : observeOnce(prepared, data, cache.get());
  }

  /**
   * How much modules are to observe.
   *
   * @param all whether to observe what other algorithms need as well
   */
  private static Map<String, Level> levels(PreparedModel prepared, boolean all) {
    Map<String, Level> levels = new LinkedHashMap<>();
    for (PlannedModule module : PlannedModule.of(prepared)) {
      if (module.quantizesInput()) {
        OperandSettings settings = module.decision().activations().settings();
        levels.put(
            module.name(),
            !all && RangeSearch.needsExtremesOnly(settings) ? Level.EXTREMES : Level.DISTRIBUTION);
      }
    }
    return levels;
  }

  private Map<String, InputStatistics> observe(
      PreparedModel prepared, CalibrationDataset data, Map<String, Level> levels) {
    return new Calibration(prepared, source(prepared), context.config().device(), calibrating(data))
        .observe(levels, data);
  }

  /** Runs the data only if the cache is not there. */
  private Calibrated observeOnce(PreparedModel prepared, CalibrationDataset data, Path cache) {
    String model = Fingerprints.of(prepared.model().source());
    var marked = new Fingerprints.Data(data);
    if (Files.exists(cache)) {
      CalibrationCache known = CalibrationCache.read(cache);
      known.checkModel(cache, model, levels(prepared, false));
      ProgressReporter progress = calibrating(data);
      for (TensorBatch batch : marked) {
        progress.advance(1, "%s, known from the cache".formatted(batch.inputs().keySet()));
      }
      known.checkData(cache, marked.fingerprint());
      return new Calibrated(prepared, known.statistics(), Optional.of(cache));
    }
    Map<String, Level> levels = levels(prepared, true);
    CalibrationCache.checkPlace(cache);
    Map<String, InputStatistics> statistics = observe(prepared, marked, levels);
    new CalibrationCache(model, marked.fingerprint(), List.copyOf(levels.keySet()), statistics)
        .write(cache);
    return new Calibrated(prepared, statistics, Optional.empty());
  }

  private ProgressReporter calibrating(CalibrationDataset data) {
    return new ProgressReporter(
        context.listener(), "calibrate", data.batches().orElse(-1), "batches");
  }

  @Override
  public QuantizedModel quantize(PreparedModel prepared) {
    List<PlannedModule> planned = PlannedModule.of(prepared);
    Optional<Calibrated> known =
        Optional.ofNullable(calibrated).filter(each -> each.prepared().equals(prepared));
    var ranges =
        new Ranges(
            source(prepared),
            options,
            known.map(Calibrated::statistics).orElse(Map.of()),
            known.flatMap(Calibrated::cache));
    List<ModuleQuantization> modules =
        ranges.choose(
            planned,
            known.isPresent(),
            context.parallelism(),
            new ProgressReporter(context.listener(), "quantize", planned.size(), "modules"));
    ranges.warnings().forEach(context.listener()::onWarning);
    return new ModelOptModel(prepared, modules, ranges.notes(), ranges.warnings(), this);
  }

  @Override
  public SavedModel save(QuantizedModel quantized, Path directory) {
    if (!(quantized instanceof ModelOptModel model) || model.owner() != this) {
      throw new IllegalArgumentException("model: was not quantized by this quantizer");
    }
    ScriptModel source = source(model.prepared());
    var progress = new WritingProgress(context.listener(), 2 * source.tensorBytes());
    try (var transaction = ArtifactTransaction.begin(directory)) {
      ModelOptCheckpoint.Outcome checkpoint =
          ModelOptCheckpoint.write(
              transaction.create(ModelOptBackend.CHECKPOINT),
              source,
              model.modules(),
              options,
              model.plan(),
              ByteBuffer.allocate(BLOCK_BYTES),
              progress);
      RunnableArchive.Outcome runnable =
          RunnableArchive.write(
              transaction.create(ModelOptBackend.RUNNABLE),
              source,
              model.modules(),
              options.target(),
              model.plan(),
              progress);
      progress.finish();
      List<QuantizationWarning> warnings = warnings(checkpoint, runnable);
      warnings.forEach(context.listener()::onWarning);
      transaction.commit();
      List<QuantizationWarning> all = new ArrayList<>(model.warnings());
      all.addAll(warnings);
      return new SavedModel(artifacts(directory), Report.of(model, runnable, all));
    }
  }

  private static List<QuantizationWarning> warnings(
      ModelOptCheckpoint.Outcome checkpoint, RunnableArchive.Outcome runnable) {
    List<QuantizationWarning> warnings = new ArrayList<>();
    if (!runnable.bytes().isEmpty()) {
      Processor.ofThisProcess()
          .objection()
          .map(
              objection ->
                  warning(
                      "%s: %s; backend_kwargs.%s: %s avoids that"
                          .formatted(
                              ModelOptBackend.RUNNABLE,
                              objection,
                              ModelOptOptions.TARGET,
                              ModelOptOptions.Target.PORTABLE.label())))
          .ifPresent(warnings::add);
    }
    if (!checkpoint.buffers().isEmpty()) {
      warnings.add(
          warning(
              "%s leaves out buffers that Python does not persist: %s"
                  .formatted(ModelOptBackend.CHECKPOINT, String.join(", ", checkpoint.buffers()))));
    }
    if (!checkpoint.unusedPatterns().isEmpty()) {
      warnings.add(
          warning(
              "backend_kwargs.%s names no buffer of the model by %s"
                  .formatted(
                      ModelOptOptions.DROP_BUFFERS,
                      String.join(", ", checkpoint.unusedPatterns()))));
    }
    return warnings;
  }

  private static QuantizationWarning warning(String message) {
    return new QuantizationWarning(QuantizationWarning.Kind.OTHER, message, null, List.of());
  }

  private List<Artifact> artifacts(Path directory) {
    return List.of(
        Artifact.of(
            directory.resolve(ModelOptBackend.CHECKPOINT),
            "pytorch",
            "a checkpoint for modelopt.torch.opt.restore of ModelOpt " + options.version().label()),
        Artifact.of(
            directory.resolve(ModelOptBackend.RUNNABLE),
            ScriptModel.FORMAT,
            "TorchScript that libtorch, DJL and torch.jit.load run, for the target "
                + options.target().label()));
  }

  /** Does nothing: files are opened and closed within each step. */
  @Override
  public void close() {}
}
