package dev.kvant.report;

import dev.kvant.api.Artifact;
import dev.kvant.api.Device;
import dev.kvant.api.Distribution;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.OperatorReport;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.Requirement;
import dev.kvant.api.RuleReference;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Verification;
import dev.kvant.runtime.evaluation.Evaluation;
import dev.kvant.runtime.evaluation.Figure;
import dev.kvant.runtime.evaluation.ModelScore;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Results of quantizing a {@link StoredModel}. */
final class Samples {

  private Samples() {}

  /** Names of that many modules. */
  static List<String> names(int modules) {
    return IntStream.range(0, modules).mapToObj("encoder.layer.%d.dense"::formatted).toList();
  }

  /**
   * What was done to modules of those names: the first is left native, the second is lossless, the
   * SQNR of each other one is 30 dB and a tenth for each module before it.
   */
  static QuantizationReport report(List<String> names) {
    List<ModuleReport> modules = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      modules.add(module(names.get(i), i));
    }
    return new QuantizationReport(
        "sample",
        QuantizationMode.WEIGHT_ONLY_PTQ,
        modules,
        List.of(
            new OperatorReport(
                "Add", OperandOutcome.leftNative("it would be slower"), List.of("a1", "a2"))),
        List.of(
            new QuantizationWarning(
                QuantizationWarning.Kind.OTHER, "one thing is odd", null, List.of())),
        List.of(Requirement.version("ONNX Runtime", "1.22", "blocks of 8 bits")));
  }

  private static ModuleReport module(String name, int index) {
    OperandDecision decision =
        new OperandDecision(
            Dtype.INT8,
            Dtype.INT8,
            RuleReference.layer(0, "Linear"),
            List.of(),
            null,
            Map.of(),
            OperandSettings.DEFAULT);
    ModuleReport.Builder report =
        ModuleReport.builder(
            new ModuleDecision(name, "Linear", false, decision, OperandDecision.untouched()));
    if (index == 0) {
      return report
          .weights(OperandOutcome.leftNative("its values are not finite"))
          .bytes(64, 64)
          .build();
    }
    double sqnr = index == 1 ? Double.POSITIVE_INFINITY : 30 + index / 10.0;
    return report
        .weights(OperandOutcome.quantized(Dtype.INT8, Granularity.axis(0), sqnr))
        .bytes(64, 32 + index % 7)
        .distribution(
            Operand.WEIGHTS,
            new Distribution(-1, 2, List.of(3L, 0L, index + 1L), -1.5, 1.5, null, List.of()))
        .distribution(
            Operand.ACTIVATIONS,
            new Distribution(
                0,
                8,
                List.of(90L, 10L),
                0,
                4.5,
                Distribution.Criterion.SQNR,
                List.of(new Distribution.Candidate(8, 20.5), new Distribution.Candidate(4, 24.25))))
        .build();
  }

  /** One model and a file beside it, verified. */
  static SavedModel saved(Path folder, List<String> names) {
    Path model = folder.resolve("quantized.bin");
    return new SavedModel(
        List.of(
            new Artifact(model, Artifact.Role.MODEL, "stored", 400, "a runtime of stored models"),
            new Artifact(
                folder.resolve("quantized.data"),
                Artifact.Role.SIDE_FILE,
                "stored",
                100,
                "its tensors")),
        report(names),
        List.of(
            Verification.builder(model, Verification.Status.VERIFIED)
                .samples(4, false)
                .outputs(Map.of("logits", 33.25))
                .build()));
  }

  /** Both models on 10 samples. */
  static EvaluationResult evaluation(Path folder) {
    return new EvaluationResult(
        folder.resolve("data.npz"),
        List.of(
            new Evaluation(
                10,
                0,
                2,
                Device.of("cpu"),
                score(folder.resolve("quantized.bin"), 500, 8, 1.5),
                score(folder.resolve("model.bin"), StoredModel.BYTES, 9, 3),
                new OutputSimilarity(0.9962, 0.9891, 27.5))));
  }

  private static ModelScore score(Path path, long bytes, long correct, double median) {
    return new ModelScore(
        path,
        "stored",
        bytes,
        correct,
        Map.of(Figure.TOP1, correct / 10.0),
        0,
        median,
        List.of(median - 0.5, median - 0.25, median, median + 0.25, median + 1));
  }
}
