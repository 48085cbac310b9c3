package dev.kvant.backend.modelopt;

import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.TensorDescription;
import dev.kvant.numerics.QuantizationError;
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
   * @param runnable what came out in the runnable artifact
   * @param warnings what went otherwise than planned, beyond the plan's own warnings
   */
  static QuantizationReport of(
      ModelOptModel model, RunnableArchive.Outcome runnable, List<QuantizationWarning> warnings) {
    Map<String, ModuleDescription> modules = new HashMap<>();
    model.prepared().model().modules().forEach(module -> modules.put(module.name(), module));
    List<ModuleReport> reports = new ArrayList<>();
    for (ModuleDecision decision : model.plan().modules()) {
      ModuleDescription module = modules.get(decision.module());
      long before =
          module == null ? 0 : module.tensors().stream().mapToLong(TensorDescription::bytes).sum();
      QuantizationError error = runnable.errors().get(decision.module());
      reports.add(
          new ModuleReport(
              decision,
              before,
              before - saved(module, runnable),
              error == null ? null : error.sqnrDecibels(),
              note(decision.module(), model.notes(), runnable.notes())));
    }
    List<QuantizationWarning> all = new ArrayList<>(model.plan().warnings());
    all.addAll(warnings);
    return new QuantizationReport(model.plan().backend(), model.plan().mode(), reports, all);
  }

  private static long saved(@Nullable ModuleDescription module, RunnableArchive.Outcome runnable) {
    Long bytes = module == null ? null : runnable.bytes().get(module.name());
    return module == null || bytes == null
        ? 0
        : module.weight().map(TensorDescription::bytes).orElse(bytes) - bytes;
  }

  private static @Nullable String note(
      String module, Map<String, String> first, Map<String, String> second) {
    String one = first.get(module);
    String other = second.get(module);
    return one == null || other == null ? (one == null ? other : one) : one + "; " + other;
  }
}
