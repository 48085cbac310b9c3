package dev.kvant.api;

import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The settings of quantization of one operand, besides its dtype.
 *
 * @param granularity which values share a scale, or null for the backend's documented default; an
 *     axis of a weight is not negative
 * @param algorithm the algorithm that chooses its range
 * @param algorithmOptions options of the algorithm, as in {@code percentile: 99.99}
 * @since 0.1.0
 */
public record OperandSettings(
    @Nullable Granularity granularity,
    CalibrationAlgorithm algorithm,
    Map<String, Object> algorithmOptions) {

  /** The backend's default granularity, and the smallest and largest value. */
  public static final OperandSettings DEFAULT =
      new OperandSettings(null, CalibrationAlgorithm.MINMAX, Map.of());

  public OperandSettings {
    Objects.requireNonNull(algorithm, "algorithm");
    algorithmOptions = Map.copyOf(algorithmOptions);
  }
}
