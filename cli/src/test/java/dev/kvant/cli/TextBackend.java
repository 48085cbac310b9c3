package dev.kvant.cli;

import dev.kvant.api.Artifact;
import dev.kvant.api.Dtype;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorDescription;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Quantizes text models: writes int8 for the float32 of the weights of Linear modules. */
public final class TextBackend implements QuantizationBackend {

  static final String ARTIFACT = "quantized.text";

  /** What happens while the artifact is written. */
  static final String ACCIDENT = "accident";

  @Override
  public BackendDescriptor descriptor() {
    return new BackendDescriptor(
        "text",
        List.of("plain"),
        "7.1",
        "Quantizes models that are lines of text.",
        Map.of(
            QuantizationMode.WEIGHT_ONLY_PTQ,
            new ModeDescriptor(List.of(Dtype.INT8, Dtype.FP8_E5M2), List.of(), List.of())),
        List.of(TextFormat.ID),
        List.of(ARTIFACT),
        List.of(
            OptionDescriptor.choice(
                ACCIDENT,
                List.of("none", "failure", "defect", "wait"),
                "What goes wrong while the artifact is written.")));
  }

  @Override
  public Support supports(SupportQuery query) {
    return query.module().type().equals("Linear")
        ? Support.yes()
        : Support.no("only Linear is text enough");
  }

  @Override
  public Quantizer create(QuantizerContext context) {
    return new TextQuantizer(context);
  }

  private record TextQuantized(PreparedModel prepared) implements QuantizedModel {

    @Override
    public QuantizationPlan plan() {
      return prepared.plan();
    }

    @Override
    public void close() {}
  }

  private record TextQuantizer(QuantizerContext context) implements Quantizer {

    @Override
    public QuantizedModel quantize(PreparedModel model) {
      return new TextQuantized(model);
    }

    @Override
    public SavedModel save(QuantizedModel model, Path directory) {
      PreparedModel prepared = ((TextQuantized) model).prepared();
      try (ArtifactTransaction files = ArtifactTransaction.begin(directory)) {
        Path temporary = files.create(ARTIFACT);
        var text = new StringBuilder("text model\n");
        var progress =
            new ProgressReporter(
                context.listener(), "quantize", prepared.plan().modules().size(), "modules");
        for (ModuleDescription module : prepared.model().modules()) {
          accident(progress);
          text.append(line(module, prepared.plan())).append('\n');
          progress.advance(1, module.name());
        }
        Files.writeString(temporary, text);
        files.commit();
        Path artifact = directory.resolve(ARTIFACT);
        return new SavedModel(
            List.of(
                new Artifact(artifact, TextFormat.ID, Files.size(artifact), "the same, shorter")),
            new QuantizationReport(
                "text",
                prepared.plan().mode(),
                prepared.plan().modules().stream()
                    .map(decision -> report(decision, prepared))
                    .toList(),
                prepared.plan().warnings()));
      } catch (IOException e) {
        throw new UncheckedIOException("the artifact cannot be written", e);
      }
    }

    private void accident(ProgressReporter progress) {
      switch (String.valueOf(context.config().backendKwargs().get(ACCIDENT))) {
        case "failure" -> throw new KvantException("the ink has run out; buy some");
        case "defect" -> throw new IllegalStateException("this cannot happen");
        case "wait" -> {
          while (true) {
            progress.checkCancelled();
            Thread.onSpinWait();
          }
        }
        default -> {
          // Nothing goes wrong.
        }
      }
    }

    private static String line(ModuleDescription module, QuantizationPlan plan) {
      String type = module.type().isEmpty() ? "-" : module.type();
      boolean quantized = plan.module(module.name()).map(ModuleDecision::isQuantized).orElse(false);
      var line = new StringBuilder(module.name() + " " + type);
      for (TensorDescription tensor : module.tensors()) {
        line.append(' ')
            .append(tensor.name())
            .append(':')
            .append(quantized && tensor.name().equals("weight") ? "int8" : tensor.elementType())
            .append(':')
            .append(String.join("x", tensor.shape().stream().map(String::valueOf).toList()));
      }
      return line.toString();
    }

    private static ModuleReport report(ModuleDecision decision, PreparedModel prepared) {
      long before =
          prepared.model().modules().stream()
              .filter(module -> module.name().equals(decision.module()))
              .flatMap(module -> module.tensors().stream())
              .mapToLong(TensorDescription::bytes)
              .sum();
      return new ModuleReport(
          decision,
          before,
          decision.isQuantized() ? before / 4 : before,
          decision.isQuantized() ? 40.0 + decision.module().length() : null,
          null);
    }

    @Override
    public void close() {}
  }
}
