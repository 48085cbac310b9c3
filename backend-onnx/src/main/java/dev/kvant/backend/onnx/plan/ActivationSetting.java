package dev.kvant.backend.onnx.plan;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.OperandDecision;
import dev.kvant.backend.onnx.placement.Response;
import dev.kvant.kit.Observers;
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
 * @param response what all who read them make of them; where they are read through functions, the
 *     range is the one with the least error behind these, whatever the algorithm
 * @since 0.1.0
 */
public record ActivationSetting(
    Grid grid,
    CalibrationAlgorithm algorithm,
    Map<String, Object> algorithmOptions,
    Response response) {

  public static ActivationSetting of(OperandDecision decision, OnnxOptions options) {
    return new ActivationSetting(
        grid(decision.dtype(), options.target()),
        decision.settings().algorithm(),
        decision.settings().algorithmOptions(),
        Response.NONE);
  }

  /** The same setting for values that are read through functions. */
  ActivationSetting behind(Response functions) {
    return new ActivationSetting(grid, algorithm, algorithmOptions, functions);
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

  /** What must be observed for that; of integers the distribution, which shows outliers. */
  public Observation observation() {
    return response.functions().isEmpty()
        ? Observers.observation(algorithm, grid)
        : Observation.DISTRIBUTION;
  }

  /** Whether codes are integers, all the same distance apart. */
  public boolean isInteger() {
    return grid.isInteger();
  }

  /** An observer that has seen nothing yet. */
  public RangeObserver observer() {
    return response.functions().isEmpty()
        ? Observers.of(algorithm, algorithmOptions)
        : RangeObserver.leastErrorBehind(response.operators());
  }
}
