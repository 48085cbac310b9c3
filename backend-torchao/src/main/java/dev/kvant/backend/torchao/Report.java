package dev.kvant.backend.torchao;

import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.TensorDescription;
import dev.kvant.backend.torchao.PlannedWeights.PlannedWeight;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.torch.TorchModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tells what was done, once the artifacts are written. */
final class Report {

  private Report() {}

  /**
   * The report.
   *
   * @param runnable what came out in the runnable artifact, or null if there is none
   * @param warnings what went wrong beyond the plan's warnings
   */
  static QuantizationReport of(
      TorchModel model,
      QuantizationPlan plan,
      PlannedWeights weights,
      RunnableArchive.@Nullable Outcome runnable,
      List<QuantizationWarning> warnings) {
    Map<String, ModuleDescription> modules = new HashMap<>();
    model.modules().forEach(module -> modules.put(module.name(), module));
    List<ModuleReport> reports = new ArrayList<>();
    for (ModuleDecision decision : plan.modules()) {
      ModuleDescription module = modules.get(decision.module());
      long before =
          module == null ? 0 : module.tensors().stream().mapToLong(TensorDescription::bytes).sum();
      PlannedWeight planned = weights.byModule().get(decision.module());
      reports.add(
          planned == null
              ? new ModuleReport(decision, before, before, null, null)
              : quantized(planned, before, runnable));
    }
    List<QuantizationWarning> all = new ArrayList<>(plan.warnings());
    all.addAll(warnings);
    return new QuantizationReport(plan.backend(), plan.mode(), reports, all);
  }

  private static ModuleReport quantized(
      PlannedWeight planned, long before, RunnableArchive.@Nullable Outcome runnable) {
    String module = planned.decision().module();
    QuantizedWeight weight = planned.weight();
    long saved = 0;
    if (planned.isIn(TorchaoBackend.CHECKPOINT)) {
      saved = weight.weight().bytes() - Checkpoint.bytes(weight);
    }
    if (runnable != null
        && planned.isIn(TorchaoBackend.RUNNABLE)
        && !runnable.restored().contains(module)) {
      saved = Math.max(saved, weight.weight().bytes() - RunnableArchive.bytes(weight));
    }
    QuantizationError error = weight.error();
    return new ModuleReport(
        planned.decision(),
        before,
        before - saved,
        error == null ? null : error.sqnrDecibels(),
        runnable == null ? null : runnable.notes().get(module));
  }
}
