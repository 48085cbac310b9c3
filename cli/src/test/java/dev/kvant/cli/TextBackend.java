package dev.kvant.cli;

import dev.kvant.api.Artifact;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.Requirement;
import dev.kvant.api.SavedModel;
import dev.kvant.api.TensorDescription;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Quantizes text models: writes int8 for the float32 of the weights of Linear modules, and breaks
 * modules called fragile.
 */
public final class TextBackend implements QuantizationBackend {

  static final String ARTIFACT = "quantized.text";

  /** Not a model, though of the same format. */
  static final String SIDE_FILE = "quantized.text.data";

  /** What happens while the artifact is written. */
  static final String ACCIDENT = "accident";

  @Override
  public BackendDescriptor descriptor() {
    return BackendDescriptor.builder("text")
        .alias("plain")
        .version("7.1")
        .description("Quantizes models that are lines of text.")
        .mode(
            QuantizationMode.WEIGHT_ONLY_PTQ,
            ModeDescriptor.builder().weights(List.of(Dtype.INT8, Dtype.FP8_E5M2)).build())
        .format(TextFormat.ID)
        .artifact(ARTIFACT)
        .sideFile(SIDE_FILE)
        .option(
            OptionDescriptor.choice(
                ACCIDENT,
                List.of("none", "failure", "defect", "error", "wait", "broken"),
                "What goes wrong while the artifact is written."))
        .build();
  }

  @Override
  public Support supports(SupportQuery query) {
    return query.module().type().equals("Linear")
        ? Support.yes()
        : Support.no("only Linear is text enough");
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    return new TextRun(model, plan, context);
  }

  private record TextRun(QuantizableModel model, QuantizationPlan plan, RunContext context)
      implements QuantizationRun {

    @Override
    public SavedModel save(Path directory) {
      try (ArtifactTransaction files = ArtifactTransaction.begin(directory)) {
        Path temporary = files.create(ARTIFACT);
        var text = new StringBuilder("text model\n");
        var progress =
            new ProgressReporter(context.listener(), "quantize", plan.modules().size(), "modules");
        for (ModuleDescription module : model.modules()) {
          accident(progress);
          text.append(line(module, plan)).append('\n');
          progress.advance(1, module.name());
        }
        boolean isBroken = context.options().text(ACCIDENT).equals("broken");
        Files.writeString(temporary, isBroken ? "nothing" : text);
        Files.writeString(files.create(SIDE_FILE), "no model");
        files.commit();
        Path artifact = directory.resolve(ARTIFACT);
        return new SavedModel(
            List.of(
                Artifact.of(artifact, TextFormat.ID, "the same, shorter"),
                Artifact.of(
                    directory.resolve(SIDE_FILE),
                    Artifact.Role.SIDE_FILE,
                    TextFormat.ID,
                    "belongs beside it")),
            new QuantizationReport(
                "text",
                plan.mode(),
                plan.modules().stream().map(this::report).toList(),
                List.of(),
                plan.warnings(),
                List.of(Requirement.version("a reader", "7", "short lines"))));
      } catch (IOException e) {
        throw new UncheckedIOException("the artifact cannot be written", e);
      }
    }

    private void accident(ProgressReporter progress) {
      switch (context.options().text(ACCIDENT)) {
        case "failure" -> throw new KvantException("the ink has run out; buy some");
        case "error" -> throw new OutOfMemoryError("Java heap space");
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
      if (quantized && module.name().endsWith("fragile")) {
        type = "Broken";
      }
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

    private ModuleReport report(ModuleDecision decision) {
      long before =
          model.modules().stream()
              .filter(module -> module.name().equals(decision.module()))
              .flatMap(module -> module.tensors().stream())
              .mapToLong(TensorDescription::bytes)
              .sum();
      ModuleReport.Builder report = ModuleReport.builder(decision).bytes(before, before);
      if (decision.isQuantized()) {
        report
            .weights(
                OperandOutcome.quantized(
                    decision.weights().dtype(),
                    Granularity.TENSOR,
                    40.0 + decision.module().length()))
            .bytes(before, before / 4);
      }
      return report.build();
    }

    @Override
    public void close() {}
  }
}
