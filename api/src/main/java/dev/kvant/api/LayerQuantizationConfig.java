package dev.kvant.api;

import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A rule: how to quantize the modules that a pattern matches. Later rules override earlier ones.
 *
 * @param moduleName a {@link ModulePattern} over qualified names and class names
 * @param weights the part for weights, or null
 * @param activations the part for activations, or null
 * @since 0.1.0
 */
public record LayerQuantizationConfig(
    @NotBlank(message = "must not be empty; use '*' to match every module") String moduleName,
    @Valid @Nullable WeightQuantizationConfig weights,
    @Valid @Nullable ActivationQuantizationConfig activations) {

  public LayerQuantizationConfig {
    Objects.requireNonNull(moduleName, "moduleName");
  }

  /** A rule for weights only. */
  public static LayerQuantizationConfig weights(String moduleName, Dtype dtype) {
    return new LayerQuantizationConfig(moduleName, WeightQuantizationConfig.of(dtype), null);
  }

  /** A rule for weights and activations. */
  public static LayerQuantizationConfig of(String moduleName, Dtype weights, Dtype activations) {
    return new LayerQuantizationConfig(
        moduleName,
        WeightQuantizationConfig.of(weights),
        ActivationQuantizationConfig.of(activations));
  }

  /** The part for that operand, or null. */
  public @Nullable OperandQuantizationConfig operand(Operand operand) {
    return operand == Operand.WEIGHTS ? weights : activations;
  }
}
