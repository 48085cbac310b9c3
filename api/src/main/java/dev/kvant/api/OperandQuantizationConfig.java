package dev.kvant.api;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a rule says about one operand. Whatever is null keeps what earlier rules said.
 *
 * @since 0.1.0
 */
public sealed interface OperandQuantizationConfig
    permits WeightQuantizationConfig, ActivationQuantizationConfig {

  /** What to quantize to; {@link Dtype#NATIVE} switches quantization off. */
  @Nullable Dtype dtype();

  /** The axis along which scales differ; the backend says what null means to it. */
  @Nullable Integer quantAxis();

  /** The algorithm that chooses the range, for this rule. */
  @Nullable String observerOrFakeQuant();

  /** Options of that algorithm. */
  Map<String, Object> observerOrFakeQuantKwargs();
}
