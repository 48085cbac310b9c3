package dev.kvant.report;

import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.runtime.report.ReportTree;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
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
    return document(ReportTree.of(report), stored);
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
