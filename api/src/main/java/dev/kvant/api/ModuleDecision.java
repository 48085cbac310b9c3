package dev.kvant.api;

import java.util.Objects;

/**
 * The decision of a plan for one module.
 *
 * @param module the module's qualified name
 * @param type its class name, or the empty string when unknown
 * @param typeInferred whether the class name was inferred
 * @param weights the decision on its weights
 * @param activations the decision on its inputs
 * @since 0.1.0
 */
public record ModuleDecision(
    String module,
    String type,
    boolean typeInferred,
    OperandDecision weights,
    OperandDecision activations) {

  public ModuleDecision {
    Objects.requireNonNull(module, "module");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(activations, "activations");
  }

  /** The decision on that operand. */
  public OperandDecision operand(Operand operand) {
    return operand == Operand.WEIGHTS ? weights : activations;
  }

  /** Whether an operand of the module is quantized in at least one artifact. */
  public boolean isQuantized() {
    return weights.isQuantized() || activations.isQuantized();
  }
}
