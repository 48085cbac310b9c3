package dev.kvant.backend.modelopt;

import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.Requirement;
import dev.kvant.api.TensorDescription;
import dev.kvant.kit.ReportBuilder;
import dev.kvant.kit.Requirements;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.torch.Libtorch;
import dev.kvant.torch.ScriptModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells what was written, once it is.
 *
 * @param model the model that was quantized
 * @param plan what was planned
 * @param ranges the ranges that were chosen
 * @param options what the artifacts are made for
 */
record Report(
    ScriptModel model, QuantizationPlan plan, ChosenRanges ranges, ModelOptOptions options) {

  private static final Set<Dtype> FLOAT8 = Set.of(Dtype.FP8_E4M3FN, Dtype.FP8_E5M2);

  /** What the checkpoint holds: ranges, whose weights stay floating-point. */
  QuantizationReport ofCheckpoint() {
    ReportBuilder report = builder(Map.of(), ModelOptBackend.CHECKPOINT, Map.of());
    ranges.notes().forEach(report::note);
    return report.requirements(ofModelOpt()).build();
  }

  /**
   * What the runnable artifact holds.
   *
   * @param runnable what came out in it
   */
  QuantizationReport ofRunnable(RunnableArchive.Outcome runnable) {
    return withRunnable(
            builder(runnable.errors(), ModelOptBackend.RUNNABLE, runnable.leftFloat()), runnable)
        .requirements(ofLibtorch(runnable))
        .build();
  }

  /**
   * What the artifacts hold together.
   *
   * @param runnable what came out in the runnable artifact
   * @param warnings what went otherwise than planned, beyond the plan's own warnings
   */
  QuantizationReport of(RunnableArchive.Outcome runnable, List<QuantizationWarning> warnings) {
    ReportBuilder report = withRunnable(builder(runnable.errors(), null, Map.of()), runnable);
    ranges
        .distributions()
        .forEach(
            (module, all) ->
                all.forEach((each, found) -> report.distribution(module, each, found)));
    return report
        .warnings(warnings)
        .requirements(ofModelOpt())
        .requirements(ofLibtorch(runnable))
        .build();
  }

  private List<Requirement> ofModelOpt() {
    return List.of(
        new Requirement(
            "ModelOpt",
            options.version().label(),
            "%s names the quantizers of that version".formatted(ModelOptBackend.CHECKPOINT)));
  }

  private List<Requirement> ofLibtorch(RunnableArchive.Outcome runnable) {
    var all =
        new Requirements()
            .version(
                Libtorch.NAME, Libtorch.OLDEST, "fake quantization in " + ModelOptBackend.RUNNABLE);
    if (plan.quantized().stream()
        .anyMatch(
            module -> FLOAT8.contains(module.activations().dtypeIn(ModelOptBackend.RUNNABLE)))) {
      all.version(
          Libtorch.NAME,
          Libtorch.WITH_FLOAT8,
          "inputs converted to float8 in " + ModelOptBackend.RUNNABLE);
    }
    if (!runnable.bytes().isEmpty()) {
      all.version(
          Libtorch.NAME,
          Libtorch.WITH_PACKED_PRODUCTS,
          "int8 kernels in " + ModelOptBackend.RUNNABLE);
      IntegerKernels.requirements(options.fitsPairs()).forEach(all::add);
      if (runnable.convolves()) {
        all.version(
            Libtorch.NAME,
            Libtorch.WITH_PACKED_CONVOLUTIONS,
            "int8 convolutions in " + ModelOptBackend.RUNNABLE);
      }
    }
    return all.build();
  }

  private ReportBuilder withRunnable(ReportBuilder report, RunnableArchive.Outcome runnable) {
    ranges.notes().forEach(report::note);
    runnable.notes().forEach(report::note);
    for (ModuleDescription module : model.modules()) {
      Long bytes = runnable.bytes().get(module.name());
      if (bytes != null) {
        report.saved(
            module.name(), module.weight().map(TensorDescription::bytes).orElse(bytes) - bytes);
      }
    }
    return report;
  }

  /**
   * @param artifact the artifact that is told of, or null for all
   * @param leftFloat why inputs stay as they are in the artifact, by module
   */
  private ReportBuilder builder(
      Map<String, QuantizationError> errors,
      @Nullable String artifact,
      Map<String, String> leftFloat) {
    var report = new ReportBuilder(model, plan);
    Map<String, ModuleQuantization> quantized = new HashMap<>();
    ranges.modules().forEach(module -> quantized.put(module.module().name(), module));
    for (ModuleDecision decision : plan.quantized()) {
      String name = decision.module();
      ModuleQuantization module = quantized.get(name);
      if (decision.weights().isQuantized()) {
        QuantizationError error = errors.get(name);
        report.weights(
            name,
            outcome(
                decision.weights(),
                artifact,
                Objects.requireNonNull(module).weights().orElseThrow().granularity(),
                error == null ? null : Double.valueOf(error.sqnrDecibels())));
      }
      String reason = leftFloat.get(name);
      if (reason != null) {
        report.activations(name, OperandOutcome.leftNative(reason));
      } else if (decision.activations().isQuantized()) {
        report.activations(
            name,
            module != null && module.input().isPresent()
                ? outcome(
                    decision.activations(),
                    artifact,
                    module.input().orElseThrow().granularity(),
                    null)
                : OperandOutcome.leftNative(
                    ranges.notes().getOrDefault(name, "no range is known")));
      }
    }
    return report;
  }

  private static OperandOutcome outcome(
      OperandDecision decision,
      @Nullable String artifact,
      Granularity granularity,
      @Nullable Double sqnr) {
    Dtype dtype = artifact == null ? decision.dtype() : decision.dtypeIn(artifact);
    return dtype.isNative()
        ? OperandOutcome.leftNative(decision.nativeIn().getOrDefault(artifact, ""))
        : OperandOutcome.quantized(dtype, granularity, sqnr);
  }
}
