package dev.kvant.kit;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.spi.Observation;
import java.util.ArrayList;
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
   * What is wrong with the options that a rule gives to an algorithm.
   *
   * @param path where the rule's operand is in the configuration, as in {@code
   *     quantize.layers[0].weights}
   * @param options its {@code observer_or_fake_quant_kwargs}
   */
  public static List<ConfigurationProblem> problems(String path, Map<String, Object> options) {
    List<ConfigurationProblem> problems = new ArrayList<>();
    options.forEach(
        (name, value) -> {
          String key = path + ".observer_or_fake_quant_kwargs." + name;
          if (!name.equals(PERCENTILE)) {
            problems.add(
                new ConfigurationProblem(
                    key, "is unknown; the only one is percentile, as in 99.99"));
          } else if (!(value instanceof Number percentage)
              || !(percentage.doubleValue() > 0 && percentage.doubleValue() <= 100)) {
            problems.add(
                new ConfigurationProblem(
                    key, "must be a number above 0, at most 100, was " + value));
          }
        });
    return problems;
  }

  /** What an algorithm must know of a tensor. */
  public static Observation observation(CalibrationAlgorithm algorithm) {
    return algorithm.equals(CalibrationAlgorithm.MINMAX)
        ? Observation.EXTREMES
        : Observation.DISTRIBUTION;
  }
}
