package dev.kvant.backend.torchao;

import dev.kvant.backend.torchao.PlannedWeights.PlannedWeight;
import dev.kvant.backend.torchao.TorchaoOptions.Kernel;
import dev.kvant.torch.ExportedModel;
import dev.kvant.torch.ExportedRewriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Writes a torch.export program again with 8-bit weights that its graph restores: tied weights keep
 * one record.
 */
final class ExportedArchive {

  private static final String ROOT = "quantized_model_torchao";

  /** Where the parts of a weight are. */
  private record Parts(String codes, String scales) {}

  private final ExportedRewriter rewriter;
  private final Workspace workspace;
  private final Map<QuantizedWeight, Parts> partsByWeight = new HashMap<>();
  private final Map<QuantizedWeight, String> restoredByWeight = new HashMap<>();
  private final Map<String, String> notes = new LinkedHashMap<>();
  private final Set<String> restored = new LinkedHashSet<>();

  private ExportedArchive(ExportedModel model, Workspace workspace) {
    this.rewriter = new ExportedRewriter(model);
    this.workspace = workspace;
  }

  /**
   * Writes the file.
   *
   * @param record makes the record of Kvant from what came out
   */
  static RunnableOutcome write(
      Path file,
      ExportedModel model,
      PlannedWeights weights,
      Function<RunnableOutcome, byte[]> record,
      TorchaoOptions options,
      Workspace workspace) {
    var archive = new ExportedArchive(model, workspace);
    weights.inStateDict(TorchaoBackend.EXPORTED).forEach(archive::change);
    if (options.kernel() == Kernel.INT8PACK) {
      weights
          .byModule()
          .keySet()
          .forEach(module -> archive.note(module, "multiplied without int8pack in a .pt2"));
    }
    var outcome = new RunnableOutcome(archive.notes, archive.restored, Set.of());
    archive.rewriter.write(file, ROOT, () -> record.apply(outcome), workspace::advance);
    return outcome;
  }

  private void note(String module, String note) {
    notes.merge(module, note, "%s; %s"::formatted);
  }

  private void change(String tensor, PlannedWeight planned) {
    QuantizedWeight weight = planned.weight();
    Optional<String> obstacle = rewriter.obstacle(tensor);
    if (obstacle.isPresent()) {
      restored.add(planned.module().name());
      note(
          planned.module().name(),
          "stays floating-point in %s, with the error of quantization: %s"
              .formatted(TorchaoBackend.EXPORTED, obstacle.get()));
      rewriter.replace(
          tensor,
          restoredByWeight.computeIfAbsent(
              weight,
              key ->
                  rewriter.add(
                      weight.weight().bytes(), target -> weight.writeRestored(target, workspace))));
      return;
    }
    Parts parts =
        partsByWeight.computeIfAbsent(
            weight,
            key ->
                new Parts(
                    rewriter.add(
                        weight.weight().elements(), target -> weight.writeCodes(target, workspace)),
                    rewriter.add(
                        (long) weight.layout().channels() * Float.BYTES,
                        target -> target.write(ByteBuffer.wrap(weight.scaleBytes())))));
    rewriter.dequantize(
        tensor,
        weight.type().elementType(),
        parts.codes(),
        parts.scales(),
        weight.layout().scaleShape());
  }
}
