package dev.kvant.api;

import java.util.List;
import java.util.Objects;

/**
 * The result of quantizing operators without weights, of one class and with the same result.
 *
 * @param type their class, such as {@code Add}
 * @param outcome whether they compute with quantized values, and if not, why
 * @param operators their names, in the model's order; at least one
 * @since 0.1.0
 */
public record OperatorReport(String type, OperandOutcome outcome, List<String> operators) {

  public OperatorReport {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(outcome, "outcome");
    operators = List.copyOf(operators);
    if (operators.isEmpty()) {
      throw new IllegalArgumentException("operators: must not be empty");
    }
  }
}
