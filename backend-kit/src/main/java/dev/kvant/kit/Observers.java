package dev.kvant.kit;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.spi.Observation;
import java.util.List;
import java.util.Map;

/**
 * The observers behind the names of calibration algorithms: {@code minmax}, {@code entropy}, {@code
 * percentile} and {@code mse}.
 *
 * @since 0.1.0
 */
public final class Observers {

  /** The algorithms that have an observer. */
  public static final List<CalibrationAlgorithm> ALGORITHMS =
      List.of(
          CalibrationAlgorithm.MINMAX,
          CalibrationAlgorithm.ENTROPY,
          CalibrationAlgorithm.PERCENTILE,
          CalibrationAlgorithm.MSE);

  /** The option of {@code percentile}: how many percent of the values the range holds. */
  public static final String PERCENTILE = "percentile";

  /** The default of that option; ModelOpt's default too. */
  private static final double DEFAULT_PERCENTILE = 99.999;

  private Observers() {}

  /**
   * An observer that has seen nothing yet.
   *
   * @param algorithm the algorithm; an unknown one is {@code minmax}
   * @param options its options
   */
  public static RangeObserver of(CalibrationAlgorithm algorithm, Map<String, Object> options) {
    if (algorithm.equals(CalibrationAlgorithm.ENTROPY)) {
      return RangeObserver.entropy();
    }
    if (algorithm.equals(CalibrationAlgorithm.MSE)) {
      return RangeObserver.meanSquaredError();
    }
    if (algorithm.equals(CalibrationAlgorithm.PERCENTILE)) {
      Object percentage = options.getOrDefault(PERCENTILE, DEFAULT_PERCENTILE);
      return RangeObserver.percentile(((Number) percentage).doubleValue());
    }
    return RangeObserver.minmax();
  }

  /**
   * What must be known of a tensor whose range an algorithm finds: of integers the distribution,
   * which shows {@link Outliers}.
   */
  public static Observation observation(CalibrationAlgorithm algorithm, Grid grid) {
    return grid.isInteger() ? Observation.DISTRIBUTION : observation(algorithm);
  }

  /** What an algorithm must know of a tensor. */
  public static Observation observation(CalibrationAlgorithm algorithm) {
    return algorithm.equals(CalibrationAlgorithm.MINMAX)
        ? Observation.EXTREMES
        : Observation.DISTRIBUTION;
  }
}
