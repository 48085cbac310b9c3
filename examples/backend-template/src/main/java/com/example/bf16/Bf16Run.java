package com.example.bf16;

import dev.kvant.api.Artifact;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.kit.ReportBuilder;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.tensor.StoredTensor;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads, rounds and writes the tensors of one model block by block while it saves. */
final class Bf16Run implements QuantizationRun {

  private static final int BLOCK = 1 << 16;

  private final TorchModel source;
  private final QuantizationPlan plan;
  private final RunContext context;

  Bf16Run(TorchModel source, QuantizationPlan plan, RunContext context) {
    this.source = source;
    this.plan = plan;
    this.context = context;
  }

  @Override
  public SavedModel save(Path directory) {
    Map<String, Rounding> roundings = roundings();
    try (ArtifactTransaction transaction = ArtifactTransaction.begin(directory)) {
      write(transaction.create(Bf16Backend.ARTIFACT), roundings);
      transaction.commit();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Path file = directory.resolve(Bf16Backend.ARTIFACT);
    return new SavedModel(
        List.of(Artifact.of(file, "safetensors", "The model in bfloat16.")), report(roundings));
  }

  /** Nothing is held between the steps. */
  @Override
  public void close() {}

  /** What to round, by the tensor's qualified name. Modules with several names have them all. */
  private Map<String, Rounding> roundings() {
    Map<String, Rounding> roundings = new HashMap<>();
    for (ModuleDescription module : source.modules()) {
      if (plan.module(module.name()).filter(ModuleDecision::isQuantized).isPresent()) {
        for (String name : module.names()) {
          roundings.put(name + ".weight", new Rounding(name + ".weight"));
        }
      }
    }
    return roundings;
  }

  private void write(Path file, Map<String, Rounding> roundings) throws IOException {
    Map<String, StoredTensor> tensors = source.stateDict();
    ProgressReporter progress =
        new ProgressReporter(context.listener(), "quantize", tensors.size(), "tensors");
    Map<String, ElementType> types = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) ->
            types.put(
                name, roundings.containsKey(name) ? ElementType.BFLOAT16 : tensor.elementType()));
    // A stream and not a channel, which an interrupt would close: progress looks at interrupts.
    try (OutputStream out = new BufferedOutputStream(new FileOutputStream(file.toFile()))) {
      out.write(SafetensorsHeader.of(tensors, types));
      for (Map.Entry<String, StoredTensor> entry : tensors.entrySet()) {
        write(entry.getValue(), roundings.get(entry.getKey()), out, progress);
        progress.advance(1, entry.getKey());
      }
    }
  }

  /**
   * @param rounding what to do to the elements, or null to leave them as they are
   */
  private static void write(
      StoredTensor tensor, Rounding rounding, OutputStream out, ProgressReporter progress)
      throws IOException {
    int size = tensor.elementType().bytes();
    ByteBuffer block = ByteBuffer.allocate(BLOCK * size).order(ByteOrder.LITTLE_ENDIAN);
    for (long first = 0; first < tensor.elements(); first += BLOCK) {
      progress.checkCancelled();
      block.clear().limit((int) Math.min(BLOCK, tensor.elements() - first) * size);
      tensor.read(first, block);
      ByteBuffer written = rounding == null ? block.flip() : rounding.apply(block.flip());
      out.write(written.array(), 0, written.limit());
    }
  }

  private QuantizationReport report(Map<String, Rounding> roundings) {
    var report = new ReportBuilder(source, plan);
    for (ModuleDecision decision : plan.quantized()) {
      String module = decision.module();
      String weight = module + ".weight";
      report
          .weights(
              module,
              OperandOutcome.quantized(
                  decision.weights().dtype(), null, roundings.get(weight).sqnrDecibels()))
          .saved(module, source.stateDict().get(weight).bytes() / 2);
    }
    return report.build();
  }
}
