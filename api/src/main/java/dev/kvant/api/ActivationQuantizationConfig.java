package dev.kvant.api;

import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The part of a rule for activations. A null keeps the value of earlier rules.
 *
 * @param dtype the dtype after quantization; {@link Dtype#NATIVE} disables quantization
 * @param quantAxis the axis along which scales differ, counted from the end if negative; another
 *     spelling of {@code granularity} {@code axis:N}
 * @param granularity which values share a scale; the backend documents what holds where no rule
 *     says it
 * @param observerOrFakeQuant the algorithm that chooses the range, for this rule
 * @param observerOrFakeQuantKwargs options of that algorithm
 * @since 0.1.0
 */
public record ActivationQuantizationConfig(
    @Nullable Dtype dtype,
    @Nullable Integer quantAxis,
    @Nullable Granularity granularity,
    @Nullable String observerOrFakeQuant,
    Map<String, Object> observerOrFakeQuantKwargs)
    implements OperandQuantizationConfig {

  public ActivationQuantizationConfig {
    observerOrFakeQuantKwargs =
        Map.copyOf(Objects.requireNonNull(observerOrFakeQuantKwargs, "observerOrFakeQuantKwargs"));
  }

  /** Activations whose granularity is at most said by an axis. */
  public ActivationQuantizationConfig(
      @Nullable Dtype dtype,
      @Nullable Integer quantAxis,
      @Nullable String observerOrFakeQuant,
      Map<String, Object> observerOrFakeQuantKwargs) {
    this(dtype, quantAxis, null, observerOrFakeQuant, observerOrFakeQuantKwargs);
  }

  /** Activations in that dtype, everything else by default. */
  public static ActivationQuantizationConfig of(Dtype dtype) {
    return new ActivationQuantizationConfig(dtype, null, null, null, Map.of());
  }
}
