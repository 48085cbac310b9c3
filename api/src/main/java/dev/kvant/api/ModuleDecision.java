package dev.kvant.api;

import java.util.Objects;

/**
 * What a plan does to one module.
 *
 * @param module the module's qualified name
 * @param type its class name, or the empty string when unknown
 * @param typeInferred whether the class name was guessed
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

  /** Whether anything of the module is quantized in any artifact. */
  public boolean isQuantized() {
    return weights.isQuantized() || activations.isQuantized();
  }
}
