package dev.kvant.api;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The part of a rule for one operand. A null keeps the value of earlier rules.
 *
 * @since 0.1.0
 */
public sealed interface OperandQuantizationConfig
    permits WeightQuantizationConfig, ActivationQuantizationConfig {

  /** The dtype after quantization; {@link Dtype#NATIVE} disables quantization. */
  @Nullable Dtype dtype();

  /**
   * The axis along which scales differ, counted from the end if negative; another spelling of the
   * granularity {@code axis:N}.
   */
  @Nullable Integer quantAxis();

  /** Which values share a scale; the backend documents what holds where no rule says it. */
  @Nullable Granularity granularity();

  /** The algorithm that chooses the range, for this rule. */
  @Nullable String observerOrFakeQuant();

  /** Options of that algorithm. */
  Map<String, Object> observerOrFakeQuantKwargs();
}
