package dev.kvant.report;

import dev.kvant.api.Distribution;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.Operand;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.runtime.report.ReportTree;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Plans and reports for programs: what artifacts carry, and what the model's file says.
 *
 * @since 0.1.0
 */
public final class PlanDocument {

  private static final String MODULES = "modules";

  private PlanDocument() {}

  /** What a plan will do to each module. */
  public static JsonDocument of(QuantizationPlan plan, StoredModules stored) {
    return document(ReportTree.of(plan), stored);
  }

  /** What was done to each module. */
  public static JsonDocument of(QuantizationReport report, StoredModules stored) {
    Map<String, ModuleReport> reports = new HashMap<>();
    report.modules().forEach(module -> reports.put(module.decision().module(), module));
    JsonDocument document = document(ReportTree.of(report), stored);
    List<Map<String, @Nullable Object>> modules = new ArrayList<>();
    for (Object element : (List<?>) Objects.requireNonNull(document.fields().get(MODULES))) {
      Map<String, @Nullable Object> module = new LinkedHashMap<>();
      ((Map<?, ?>) element).forEach((key, value) -> module.put(String.valueOf(key), value));
      ModuleReport known =
          Objects.requireNonNull(reports.get(String.valueOf(module.get("module"))));
      module.put("distributions", distributions(known));
      modules.add(module);
    }
    return document.put(MODULES, modules);
  }

  private static JsonDocument distributions(ModuleReport module) {
    JsonDocument document = new JsonDocument();
    for (Operand operand : Operand.values()) {
      Distribution found = module.distributions().get(operand);
      document.put(operand.label(), found == null ? null : distribution(found));
    }
    return document;
  }

  private static JsonDocument distribution(Distribution found) {
    Distribution.Criterion criterion = found.criterion();
    return new JsonDocument()
        .put("from", found.from())
        .put("to", found.to())
        .put("counts", found.counts())
        .put("low", found.low())
        .put("high", found.high())
        .put("criterion", criterion == null ? null : criterion.name().toLowerCase(Locale.ROOT))
        .put("amax", found.candidates().stream().map(Distribution.Candidate::amax).toList())
        .put("figures", found.candidates().stream().map(Distribution.Candidate::figure).toList());
  }

  private static JsonDocument document(Map<String, @Nullable Object> tree, StoredModules stored) {
    var document = new JsonDocument();
    tree.forEach(
        (key, value) ->
            document.put(key, key.equals(MODULES) ? withStored((List<?>) value, stored) : value));
    return document;
  }

  private static List<Map<String, @Nullable Object>> withStored(
      @Nullable List<?> modules, StoredModules stored) {
    List<Map<String, @Nullable Object>> all = new ArrayList<>();
    for (Object element : Objects.requireNonNull(modules)) {
      Map<String, @Nullable Object> module = new LinkedHashMap<>();
      ((Map<?, ?>) element).forEach((key, value) -> module.put(String.valueOf(key), value));
      String name = String.valueOf(module.get("module"));
      module.put("stored_dtype", stored.elementType(name));
      module.putIfAbsent("bytes_before", stored.bytes(name));
      all.add(module);
    }
    return all;
  }
}
