package dev.kvant.cli;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperatorReport;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Style;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What operators without weights compute in: a line for each dtype and reason, with how many
 * operators of each class it is about.
 */
final class OperatorSummary {

  /** What a line is about. */
  private record Kind(Dtype dtype, @Nullable String reason) {}

  private final Map<Kind, Map<String, Integer>> counts = new LinkedHashMap<>();

  private OperatorSummary() {}

  /** What rules ask for. */
  static OperatorSummary of(QuantizationPlan plan) {
    OperatorSummary summary = new OperatorSummary();
    for (ModuleDecision operator : plan.operators()) {
      OperandDecision decision = operator.activations();
      summary.add(
          decision.dtype(),
          decision.reason() == null ? "by " + decision.decidedBy() : decision.reason(),
          operator.type(),
          1);
    }
    return summary;
  }

  /** What was done. */
  static OperatorSummary of(QuantizationReport report) {
    OperatorSummary summary = new OperatorSummary();
    for (OperatorReport operators : report.operators()) {
      summary.add(
          operators.outcome().dtype(),
          operators.outcome().reason(),
          operators.type(),
          operators.operators().size());
    }
    return summary;
  }

  private void add(Dtype dtype, @Nullable String reason, String type, int operators) {
    counts
        .computeIfAbsent(new Kind(dtype, reason), key -> new TreeMap<>())
        .merge(type, operators, Integer::sum);
  }

  /** Prints the lines, those of quantized operators first; nothing if there are none. */
  void print(Screen screen) {
    if (counts.isEmpty()) {
      return;
    }
    screen.line();
    screen.line("Operators without weights:");
    print(screen, true);
    print(screen, false);
  }

  private void print(Screen screen, boolean quantized) {
    counts.forEach(
        (kind, types) -> {
          if (kind.dtype().isNative() != quantized) {
            String operators =
                types.entrySet().stream()
                    .map(type -> type.getValue() + " " + type.getKey())
                    .collect(Collectors.joining(", "));
            String reason = kind.reason();
            screen.paragraph(
                kind.dtype() + ": ",
                Style.STRONG,
                reason == null ? operators : operators + ": " + reason);
          }
        });
  }
}
