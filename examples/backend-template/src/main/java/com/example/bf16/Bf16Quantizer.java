package com.example.bf16;

import dev.kvant.api.Artifact;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorDescription;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.tensor.StoredTensor;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads, rounds and writes block by block while it saves. */
final class Bf16Quantizer implements Quantizer {

  private static final int BLOCK = 1 << 16;

  private final QuantizerContext context;

  Bf16Quantizer(QuantizerContext context) {
    this.context = context;
  }

  @Override
  public QuantizedModel quantize(PreparedModel model) {
    return new Planned(model);
  }

  @Override
  public SavedModel save(QuantizedModel model, Path directory) {
    PreparedModel prepared = ((Planned) model).prepared();
    TorchModel source = (TorchModel) prepared.model();
    Map<String, Rounding> roundings = roundings(source, prepared.plan());
    try (ArtifactTransaction transaction = ArtifactTransaction.begin(directory)) {
      write(transaction.create(Bf16Backend.ARTIFACT), source, roundings);
      transaction.commit();
      return new SavedModel(
          List.of(artifact(directory)), report(source, prepared.plan(), roundings));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Nothing is held between the steps. */
  @Override
  public void close() {}

  /** What to round, by the tensor's qualified name. Modules with several names have them all. */
  private static Map<String, Rounding> roundings(TorchModel source, QuantizationPlan plan) {
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

  private void write(Path file, TorchModel source, Map<String, Rounding> roundings)
      throws IOException {
    Map<String, StoredTensor> tensors = source.stateDict();
    ProgressReporter progress =
        new ProgressReporter(context.listener(), "quantize", tensors.size(), "tensors");
    Map<String, ElementType> types = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) ->
            types.put(
                name,
                roundings.containsKey(name) ? ElementType.BFLOAT16 : tensor.elementType()));
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

  private static Artifact artifact(Path directory) throws IOException {
    Path file = directory.resolve(Bf16Backend.ARTIFACT);
    return new Artifact(file, "safetensors", Files.size(file), "The model in bfloat16.");
  }

  private static QuantizationReport report(
      TorchModel source, QuantizationPlan plan, Map<String, Rounding> roundings) {
    Map<String, ModuleDescription> modules = new HashMap<>();
    source.modules().forEach(module -> modules.put(module.name(), module));
    List<ModuleReport> reports = new ArrayList<>();
    for (ModuleDecision decision : plan.modules()) {
      ModuleDescription module = modules.get(decision.module());
      long before = module.tensors().stream().mapToLong(TensorDescription::bytes).sum();
      long weight = module.weight().map(TensorDescription::bytes).orElse(0L);
      reports.add(
          decision.isQuantized()
              ? new ModuleReport(
                  decision,
                  before,
                  before - weight / 2,
                  roundings.get(decision.module() + ".weight").sqnrDecibels(),
                  null)
              : new ModuleReport(decision, before, before, null, null));
    }
    return new QuantizationReport(plan.backend(), plan.mode(), reports, plan.warnings());
  }

  private record Planned(PreparedModel prepared) implements QuantizedModel {

    @Override
    public QuantizationPlan plan() {
      return prepared.plan();
    }

    @Override
    public void close() {}
  }
}
