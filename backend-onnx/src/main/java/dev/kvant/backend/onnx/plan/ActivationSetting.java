package dev.kvant.backend.onnx.plan;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.OperandDecision;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.spi.Observation;
import java.util.Map;

/**
 * How the values of a tensor are quantized and observed; equal where one pair of operators serves.
 *
 * @param grid what they are quantized to
 * @param algorithm how their range is chosen
 * @param algorithmOptions options of the algorithm
 * @since 0.1.0
 */
public record ActivationSetting(
    Grid grid, CalibrationAlgorithm algorithm, Map<String, Object> algorithmOptions) {

  /** The option of {@code percentile}. */
  public static final String PERCENTILE = "percentile";

  /** ModelOpt's default too. */
  public static final double DEFAULT_PERCENTILE = 99.999;

  public static ActivationSetting of(OperandDecision decision, OnnxOptions options) {
    return new ActivationSetting(
        grid(decision.dtype(), options.target()),
        decision.settings().algorithm(),
        decision.settings().algorithmOptions());
  }

  private static Grid grid(Dtype dtype, OnnxOptions.Target target) {
    if (dtype.equals(Dtype.FP8_E4M3FN)) {
      return Grid.FLOAT8_E4M3FN;
    }
    if (dtype.equals(Dtype.FP8_E5M2)) {
      return Grid.FLOAT8_E5M2;
    }
    return target == OnnxOptions.Target.CPU ? Grid.UINT8_ASYMMETRIC : Grid.INT8_SYMMETRIC;
  }

  /** What must be observed for that. */
  public Observation observation() {
    return algorithm.equals(CalibrationAlgorithm.MINMAX)
        ? Observation.EXTREMES
        : Observation.DISTRIBUTION;
  }

  /** An observer that has seen nothing yet. */
  public RangeObserver observer() {
    return observer(algorithm, algorithmOptions);
  }

  /** An observer for values of any kind that has seen nothing yet. */
  public static RangeObserver observer(
      CalibrationAlgorithm algorithm, Map<String, Object> algorithmOptions) {
    if (algorithm.equals(CalibrationAlgorithm.ENTROPY)) {
      return RangeObserver.entropy();
    }
    if (algorithm.equals(CalibrationAlgorithm.MSE)) {
      return RangeObserver.meanSquaredError();
    }
    if (algorithm.equals(CalibrationAlgorithm.PERCENTILE)) {
      Object percentage = algorithmOptions.getOrDefault(PERCENTILE, DEFAULT_PERCENTILE);
      return RangeObserver.percentile(((Number) percentage).doubleValue());
    }
    return RangeObserver.minmax();
  }
}
