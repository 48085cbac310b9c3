package dev.kvant.api;

import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How one operand is quantized, beyond its dtype.
 *
 * @param quantAxis the axis along which scales differ, or null for the backend's default
 * @param algorithm how its range is chosen
 * @param algorithmOptions options of the algorithm, as in {@code percentile: 99.99}
 * @since 0.1.0
 */
public record OperandSettings(
    @Nullable Integer quantAxis,
    CalibrationAlgorithm algorithm,
    Map<String, Object> algorithmOptions) {

  /** The backend's default axis and the smallest and largest value. */
  public static final OperandSettings DEFAULT =
      new OperandSettings(null, CalibrationAlgorithm.MINMAX, Map.of());

  public OperandSettings {
    Objects.requireNonNull(algorithm, "algorithm");
    algorithmOptions = Map.copyOf(algorithmOptions);
  }
}
