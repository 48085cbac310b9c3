package dev.kvant.backend.torchao;

import dev.kvant.api.Artifact;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.kit.ByteProgress;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.SourceState;
import dev.kvant.torch.ExportedModel;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.archive.TorchArchive;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Quantizes the weights of one model while it writes them; until then nothing is read. */
final class TorchaoRun implements QuantizationRun {

  private final QuantizableModel source;
  private final SourceState state;
  private final QuantizationPlan plan;
  private final RunContext context;
  private final TorchaoOptions options;

  TorchaoRun(QuantizableModel source, QuantizationPlan plan, RunContext context) {
    this.source = source;
    this.state = SourceState.of(source);
    this.plan = plan;
    this.context = context;
    this.options = TorchaoOptions.of(context.options());
  }

  @Override
  public SavedModel save(Path directory) {
    PlannedWeights weights = PlannedWeights.of(source, plan, options.fitsPairs());
    List<QuantizationWarning> warnings = opaqueEntries();
    warnings.forEach(context.listener()::onWarning);
    var report = new Report(source, plan, weights, warnings, options);
    RunnableOutcome runnable = null;
    try (var transaction = ArtifactTransaction.begin(directory, state);
        var workspace = workspace()) {
      Path checkpoint = transaction.create(TorchaoBackend.CHECKPOINT);
      Map<QuantizedWeight, String> codes =
          Checkpoint.write(
              checkpoint,
              source.tensors(),
              weights.inStateDict(TorchaoBackend.CHECKPOINT),
              () -> context.record(report.ofCheckpoint()),
              workspace);
      Optional<String> runnableName = TorchaoBackend.runnable(source.format());
      if (runnableName.isPresent()) {
        Path file = transaction.create(runnableName.get());
        try (TorchArchive written = TorchArchive.open(checkpoint)) {
          codes.forEach((weight, record) -> weight.readCodesFrom(written.record(record)));
          runnable = writeRunnable(file, weights, report, workspace);
        } finally {
          codes.keySet().forEach(weight -> weight.readCodesFrom(null));
        }
      }
      workspace.finish();
      transaction.commit();
    }
    return new SavedModel(artifacts(directory), report.of(runnable));
  }

  private RunnableOutcome writeRunnable(
      Path file, PlannedWeights weights, Report report, Workspace workspace) {
    Function<RunnableOutcome, byte[]> record =
        outcome -> context.record(report.ofRunnable(outcome));
    return source instanceof ExportedModel program
        ? ExportedArchive.write(file, program, weights, record, options, workspace)
        : RunnableArchive.write(file, (ScriptModel) source, weights, record, options, workspace);
  }

  private Workspace workspace() {
    boolean twice = TorchaoBackend.runnable(source.format()).isPresent();
    long bytes = source.tensorBytes() * (twice ? 2 : 1);
    return new Workspace(
        Workspace.BLOCK_BYTES,
        context.parallelism(),
        new ByteProgress(context.listener(), "quantize", bytes));
  }

  private List<QuantizationWarning> opaqueEntries() {
    List<String> names = source.opaqueEntries();
    return names.isEmpty()
        ? List.of()
        : List.of(
            new QuantizationWarning(
                QuantizationWarning.Kind.OTHER,
                "%s lacks these entries of the state dict, which are no plain tensors: %s"
                    .formatted(TorchaoBackend.CHECKPOINT, String.join(", ", names)),
                null,
                List.of()));
  }

  private List<Artifact> artifacts(Path directory) {
    List<Artifact> artifacts = new ArrayList<>();
    artifacts.add(
        Artifact.of(
            directory.resolve(TorchaoBackend.CHECKPOINT),
            "pytorch",
            "a state dict for load_state_dict(…, assign=True) after import torchao"));
    if (source instanceof ExportedModel) {
      artifacts.add(
          Artifact.of(
              directory.resolve(TorchaoBackend.EXPORTED),
              ExportedModel.FORMAT,
              "a program that torch.export.load reads, with the inputs and outputs of the source"));
    }
    if (source instanceof ScriptModel) {
      artifacts.add(
          Artifact.of(
              directory.resolve(TorchaoBackend.RUNNABLE),
              TorchaoBackend.TORCHSCRIPT,
              "TorchScript that libtorch, DJL and torch.jit.load run"));
    }
    return artifacts;
  }

  /** Does nothing: all that is held is held while saving. */
  @Override
  public void close() {}
}
