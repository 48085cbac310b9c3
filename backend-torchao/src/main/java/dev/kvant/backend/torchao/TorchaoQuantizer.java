package dev.kvant.backend.torchao;

import dev.kvant.api.Artifact;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.TorchModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Quantizes weights while it writes them; until then nothing is read. */
final class TorchaoQuantizer implements Quantizer {

  private final QuantizerContext context;
  private final TorchaoOptions options;

  TorchaoQuantizer(QuantizerContext context) {
    this.context = context;
    this.options = TorchaoOptions.of(context.config());
  }

  @Override
  public void prepare(PreparedModel model) {
    source(model);
  }

  private static TorchModel source(PreparedModel prepared) {
    if (prepared.model() instanceof TorchModel model) {
      return model;
    }
    throw new UnsupportedModelException(
        "backend 'torchao' quantizes models of PyTorch and safetensors that torch-format opened, not a %s"
            .formatted(prepared.model().getClass().getName()));
  }

  @Override
  public QuantizedModel quantize(PreparedModel model) {
    source(model);
    return new TorchaoModel(model, this);
  }

  @Override
  public SavedModel save(QuantizedModel model, Path directory) {
    if (!(model instanceof TorchaoModel ours) || ours.owner() != this) {
      throw new IllegalArgumentException("model: was not quantized by this quantizer");
    }
    TorchModel source = source(ours.prepared());
    PlannedWeights weights = PlannedWeights.of(source, ours.plan());
    List<QuantizationWarning> warnings = opaqueEntries(source);
    warnings.forEach(context.listener()::onWarning);
    RunnableArchive.Outcome runnable = null;
    try (var transaction = ArtifactTransaction.begin(directory);
        var workspace = workspace(source)) {
      Checkpoint.write(
          transaction.create(TorchaoBackend.CHECKPOINT),
          source.stateDict(),
          weights.inStateDict(TorchaoBackend.CHECKPOINT),
          ours.plan(),
          workspace);
      if (source instanceof ScriptModel script) {
        runnable =
            RunnableArchive.write(
                transaction.create(TorchaoBackend.RUNNABLE),
                script,
                weights,
                ours.plan(),
                options,
                workspace);
      }
      workspace.finish();
      transaction.commit();
    }
    return new SavedModel(
        artifacts(source, directory), Report.of(source, ours.plan(), weights, runnable, warnings));
  }

  private Workspace workspace(TorchModel source) {
    long bytes = source.tensorBytes() * (source instanceof ScriptModel ? 2 : 1);
    return new Workspace(
        Workspace.BLOCK_BYTES,
        context.parallelism(),
        new ProgressReporter(context.listener(), "quantize", bytes, "bytes"),
        bytes);
  }

  private static List<QuantizationWarning> opaqueEntries(TorchModel source) {
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

  private static List<Artifact> artifacts(TorchModel source, Path directory) {
    List<Artifact> artifacts = new ArrayList<>();
    artifacts.add(
        Artifact.of(
            directory.resolve(TorchaoBackend.CHECKPOINT),
            "pytorch",
            "a state dict for load_state_dict(…, assign=True) after import torchao"));
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
