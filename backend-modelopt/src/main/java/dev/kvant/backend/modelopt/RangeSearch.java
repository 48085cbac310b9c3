package dev.kvant.backend.modelopt;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.OperandSettings;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.spi.Observation;
import java.util.function.Supplier;

/** Makes the observers that a plan's settings ask for. */
final class RangeSearch {

  /** The option of the algorithm {@code percentile}. */
  static final String PERCENTILE = "percentile";

  /** ModelOpt's default too. */
  private static final double DEFAULT_PERCENTILE = 99.999;

  private RangeSearch() {}

  /** What makes an observer that has seen nothing yet. */
  static Supplier<RangeObserver> of(OperandSettings settings) {
    CalibrationAlgorithm algorithm = settings.algorithm();
    if (algorithm.equals(CalibrationAlgorithm.ENTROPY)) {
      return RangeObserver::entropy;
    }
    if (algorithm.equals(CalibrationAlgorithm.MSE)) {
      return RangeObserver::meanSquaredError;
    }
    if (algorithm.equals(CalibrationAlgorithm.PERCENTILE)) {
      Object percentage = settings.algorithmOptions().getOrDefault(PERCENTILE, DEFAULT_PERCENTILE);
      return () -> RangeObserver.percentile(((Number) percentage).doubleValue());
    }
    return RangeObserver::minmax;
  }

  /** What must be observed for that. */
  static Observation observation(OperandSettings settings) {
    return settings.algorithm().equals(CalibrationAlgorithm.MINMAX)
        ? Observation.EXTREMES
        : Observation.DISTRIBUTION;
  }
}
