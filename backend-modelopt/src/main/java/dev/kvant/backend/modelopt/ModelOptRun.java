package dev.kvant.backend.modelopt;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.kit.ByteProgress;
import dev.kvant.kit.Observers;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.Observation;
import dev.kvant.spi.Processor;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.SourceState;
import dev.kvant.torch.ScriptModel;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Takes one TorchScript model through static quantization. */
final class ModelOptRun implements QuantizationRun {

  /** What tensors pass through on their way into the checkpoint. */
  private static final int BLOCK_BYTES = 4 << 20;

  private final ScriptModel source;
  private final SourceState state;
  private final QuantizationPlan plan;
  private final RunContext context;
  private final ModelOptOptions options;
  private final List<PlannedModule> planned;
  private @Nullable CalibrationStatistics statistics;
  private @Nullable ChosenRanges ranges;

  ModelOptRun(ScriptModel source, QuantizationPlan plan, RunContext context) {
    this.source = source;
    this.state = SourceState.of(source);
    this.plan = plan;
    this.context = context;
    this.options = ModelOptOptions.of(context.options());
    this.planned = PlannedModule.of(source, plan);
  }

  @Override
  public Map<String, Observation> observations() {
    Map<String, Observation> observations = new LinkedHashMap<>();
    for (PlannedModule module : planned) {
      if (module.quantizesInput()) {
        observations.put(
            module.name(),
            Observers.observation(
                module.decision().activations().settings().algorithm(),
                PlannedModule.grid(module.decision().activations())));
      }
    }
    return observations;
  }

  @Override
  public CalibrationStatistics observe(CalibrationDataset data, Observation least) {
    Map<String, Observation> observations = observations();
    observations.replaceAll((module, needed) -> needed.compareTo(least) < 0 ? least : needed);
    Map<String, TensorStatistics> seen =
        new Calibration(
                source,
                planned,
                context.config().device(),
                new ProgressReporter(
                    context.listener(), "calibrate", data.batches().orElse(-1), "batches"))
            .observe(observations, data);
    Map<String, Optional<TensorStatistics>> all = new LinkedHashMap<>();
    observations.keySet().forEach(module -> all.put(module, Optional.ofNullable(seen.get(module))));
    return new CalibrationStatistics(all);
  }

  @Override
  public void use(CalibrationStatistics statistics) {
    this.statistics = statistics;
    this.ranges = null;
  }

  @Override
  public void quantize() {
    ranges();
  }

  private ChosenRanges ranges() {
    ChosenRanges known = ranges;
    if (known == null) {
      var search = new Ranges(source, options, Optional.ofNullable(statistics));
      known =
          search.choose(
              planned,
              context.parallelism(),
              new ProgressReporter(context.listener(), "quantize", planned.size(), "modules"));
      known.warnings().forEach(context.listener()::onWarning);
      ranges = known;
    }
    return known;
  }

  @Override
  public SavedModel save(Path directory) {
    ChosenRanges chosen = ranges();
    var report = new Report(source, plan, chosen, options);
    var progress = new ByteProgress(context.listener(), "save", 2 * source.tensorBytes());
    try (var transaction = ArtifactTransaction.begin(directory, state)) {
      ModelOptCheckpoint.Outcome checkpoint =
          ModelOptCheckpoint.write(
              transaction.create(ModelOptBackend.CHECKPOINT),
              source,
              chosen.modules(),
              options,
              () -> context.record(report.ofCheckpoint()),
              ByteBuffer.allocate(BLOCK_BYTES),
              progress::advance);
      RunnableArchive.Outcome runnable =
          RunnableArchive.write(
              transaction.create(ModelOptBackend.RUNNABLE),
              source,
              chosen.modules(),
              options,
              outcome -> context.record(report.ofRunnable(outcome)),
              progress::advance);
      progress.finish();
      List<QuantizationWarning> warnings = warnings(checkpoint, runnable);
      warnings.forEach(context.listener()::onWarning);
      transaction.commit();
      List<QuantizationWarning> all = new ArrayList<>(chosen.warnings());
      all.addAll(warnings);
      return new SavedModel(artifacts(directory), report.of(runnable, all));
    }
  }

  private List<QuantizationWarning> warnings(
      ModelOptCheckpoint.Outcome checkpoint, RunnableArchive.Outcome runnable) {
    List<QuantizationWarning> warnings = new ArrayList<>();
    if (!runnable.bytes().isEmpty()) {
      IntegerKernels.objection(Processor.ofThisProcess(), options.fitsPairs())
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
