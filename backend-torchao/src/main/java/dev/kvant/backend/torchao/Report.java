package dev.kvant.backend.torchao;

import dev.kvant.api.Granularity;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.Requirement;
import dev.kvant.backend.torchao.PlannedWeights.PlannedWeight;
import dev.kvant.kit.DynamicMode;
import dev.kvant.kit.ReportBuilder;
import dev.kvant.kit.Requirements;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.torch.ExportedModel;
import dev.kvant.torch.Libtorch;
import dev.kvant.torch.PackedLinear;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Tells what was written, once it is.
 *
 * @param model the model that was quantized
 * @param plan what was planned
 * @param weights the weights that the plan quantizes
 * @param warnings what went otherwise, beyond the plan's warnings
 * @param options how the runnable artifact multiplies
 */
record Report(
    QuantizableModel model,
    QuantizationPlan plan,
    PlannedWeights weights,
    List<QuantizationWarning> warnings,
    TorchaoOptions options) {

  /** The version whose tensor classes the checkpoint names. */
  private static final String TORCHAO = "0.18";

  /** The first version whose programs are read. */
  private static final String EXPORT = "2.9";

  /** What the checkpoint holds. */
  QuantizationReport ofCheckpoint() {
    return report(List.of(TorchaoBackend.CHECKPOINT), null);
  }

  /**
   * What the runnable artifact holds.
   *
   * @param runnable what came out in it
   */
  QuantizationReport ofRunnable(RunnableOutcome runnable) {
    return report(List.of(runnableName()), runnable);
  }

  /**
   * What the artifacts hold together.
   *
   * @param runnable what came out in the runnable artifact, or null if there is none
   */
  QuantizationReport of(@Nullable RunnableOutcome runnable) {
    return report(
        runnable == null
            ? List.of(TorchaoBackend.CHECKPOINT)
            : List.of(TorchaoBackend.CHECKPOINT, runnableName()),
        runnable);
  }

  /** The artifact that runs by itself. */
  private String runnableName() {
    return TorchaoBackend.runnable(model.format()).orElseThrow();
  }

  private QuantizationReport report(List<String> artifacts, @Nullable RunnableOutcome runnable) {
    var report = new ReportBuilder(model, plan).warnings(warnings);
    weights
        .byModule()
        .forEach(
            (module, planned) -> {
              List<String> reasons = new ArrayList<>();
              long saved = 0;
              boolean isHeld = false;
              for (String artifact : artifacts) {
                String reason = whyNative(planned, artifact, runnable);
                if (reason == null) {
                  isHeld = true;
                  saved = Math.max(saved, saved(planned, artifact, runnable));
                } else {
                  reasons.add(reason);
                }
              }
              report
                  .weights(
                      module,
                      isHeld
                          ? OperandOutcome.quantized(
                              planned.decision().weights().dtype(),
                              Granularity.axis(planned.weight().layout().axis()),
                              sqnr(
                                  isPacked(planned, runnable)
                                          && !artifacts.contains(TorchaoBackend.CHECKPOINT)
                                      ? planned.packed()
                                      : planned.weight()))
                          : OperandOutcome.leftNative(String.join("; ", reasons)))
                  .saved(module, saved);
              if (artifacts.contains(TorchaoBackend.RUNNABLE)
                  && isPacked(planned, runnable)
                  && planned.packed() != planned.weight()) {
                report.note(module, ofPacked(planned.packed()));
              }
              if (planned.decision().activations().isQuantized()) {
                report.activations(module, input(planned, artifacts, runnable));
              }
            });
    if (runnable != null) {
      runnable.notes().forEach(report::note);
      if (!runnable.packed().isEmpty()) {
        report.warnings(List.of(DynamicMode.batchDependence()));
      }
    }
    return report.requirements(requirements(artifacts, runnable)).build();
  }

  private List<Requirement> requirements(
      List<String> artifacts, @Nullable RunnableOutcome runnable) {
    var all = new Requirements();
    for (PlannedWeight planned : weights.byModule().values()) {
      for (String artifact : artifacts) {
        if (whyNative(planned, artifact, runnable) != null) {
          continue;
        }
        if (artifact.equals(TorchaoBackend.CHECKPOINT)) {
          all.version("torchao", TORCHAO, "its tensor classes in " + artifact);
          continue;
        }
        if (model instanceof ExportedModel program) {
          all.version(
              "torch",
              program.torchVersion().orElse(EXPORT),
              "the version of the format of " + artifact);
          continue;
        }
        all.version(Libtorch.NAME, Libtorch.OLDEST, "weights that are converted in " + artifact);
        if (planned.weight().type() != WeightType.INT8) {
          all.version(Libtorch.NAME, Libtorch.WITH_FLOAT8, "float8 weights in " + artifact);
        } else if (options.kernel() == TorchaoOptions.Kernel.INT8PACK) {
          all.version(Libtorch.NAME, Libtorch.WITH_INT8PACK, "kernel int8pack in " + artifact);
        }
      }
    }
    if (artifacts.contains(TorchaoBackend.RUNNABLE)
        && runnable != null
        && !runnable.packed().isEmpty()) {
      all.add(
          new Requirement(
              "CPU",
              "x86-64",
              "int8 kernels in %s; other processors were not tried"
                  .formatted(TorchaoBackend.RUNNABLE)));
      if (!options.fitsPairs()) {
        all.add(
            new Requirement(
                "VNNI",
                "needed",
                "without it libtorch adds two products in 16 bits, which can overflow"));
      }
    }
    return all.build();
  }

  /** Why an artifact does not hold a weight quantized; null if it does. */
  private static @Nullable String whyNative(
      PlannedWeight planned, String artifact, @Nullable RunnableOutcome runnable) {
    if (!planned.isIn(artifact)) {
      return planned.decision().weights().nativeIn().get(artifact);
    }
    return !artifact.equals(TorchaoBackend.CHECKPOINT)
            && Objects.requireNonNull(runnable).restored().contains(planned.decision().module())
        ? "its code cannot read a quantized weight"
        : null;
  }

  /** What became of the input of a module that is to quantize it at run time. */
  private static OperandOutcome input(
      PlannedWeight planned, List<String> artifacts, @Nullable RunnableOutcome runnable) {
    List<String> reasons = new ArrayList<>();
    for (String artifact : artifacts) {
      boolean isRunnable = !artifact.equals(TorchaoBackend.CHECKPOINT);
      if (isRunnable ? isPacked(planned, runnable) : planned.quantizesInput(artifact)) {
        return OperandOutcome.quantized(
            planned.decision().activations().dtype(), isRunnable ? Granularity.TENSOR : null, null);
      }
      reasons.add(
          planned
              .decision()
              .activations()
              .nativeIn()
              .getOrDefault(artifact, RunnableArchive.NO_PRODUCT));
    }
    return OperandOutcome.leftNative(String.join("; ", reasons));
  }

  private static boolean isPacked(PlannedWeight planned, @Nullable RunnableOutcome runnable) {
    return runnable != null && runnable.packed().contains(planned.decision().module());
  }

  private static long saved(
      PlannedWeight planned, String artifact, @Nullable RunnableOutcome runnable) {
    QuantizedWeight weight = planned.weight();
    long bytes =
        artifact.equals(TorchaoBackend.CHECKPOINT)
            ? Checkpoint.bytes(weight)
            : isPacked(planned, runnable)
                ? PackedLinear.bytes(weight.layout().shape())
                : RunnableArchive.bytes(weight);
    return weight.weight().bytes() - bytes;
  }

  /** That the archive's weight has other codes than the checkpoint's. */
  private static String ofPacked(QuantizedWeight packed) {
    return String.format(
        Locale.ROOT,
        "its weight has %.1f dB in %s, for products that cannot overflow without VNNI",
        Objects.requireNonNull(sqnr(packed)),
        TorchaoBackend.RUNNABLE);
  }

  private static @Nullable Double sqnr(QuantizedWeight weight) {
    QuantizationError error = weight.error();
    return error == null ? null : Double.valueOf(error.sqnrDecibels());
  }
}
