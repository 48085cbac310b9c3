package dev.kvant.api;

import java.util.Locale;
import java.util.Objects;

/**
 * How a range is chosen from the statistics of calibration.
 *
 * <p>An open value type: a backend may define further algorithms. The alias {@code max} reads as
 * {@code minmax}.
 *
 * @param name the canonical name, as in {@code entropy}
 * @since 0.1.0
 */
public record CalibrationAlgorithm(String name) implements Comparable<CalibrationAlgorithm> {

  /** The smallest and the largest observed value. */
  public static final CalibrationAlgorithm MINMAX = new CalibrationAlgorithm("minmax");

  /**
   * The range with the minimum Kullback-Leibler divergence between the original and the quantized
   * distribution.
   */
  public static final CalibrationAlgorithm ENTROPY = new CalibrationAlgorithm("entropy");

  /** The range that contains a given percentage of the observed values. */
  public static final CalibrationAlgorithm PERCENTILE = new CalibrationAlgorithm("percentile");

  /** The range with the minimum mean squared quantization error. */
  public static final CalibrationAlgorithm MSE = new CalibrationAlgorithm("mse");

  /** The codes of weights with which the outputs of a layer change least on the observed inputs. */
  public static final CalibrationAlgorithm GPTQ = new CalibrationAlgorithm("gptq");

  /**
   * As {@link #MSE}, after the weights of input channels with much power are multiplied, and the
   * inputs divided, by factors with which the outputs of a layer change least.
   */
  public static final CalibrationAlgorithm AWQ = new CalibrationAlgorithm("awq");

  /**
   * Converts the name to its canonical spelling.
   *
   * @throws NullPointerException if the name is null
   */
  public CalibrationAlgorithm {
    Objects.requireNonNull(name, "name");
    name = name.strip().toLowerCase(Locale.ROOT);
    if (name.equals("max")) {
      name = "minmax";
    }
  }

  /** The algorithm of that name, in any spelling of it. */
  public static CalibrationAlgorithm of(String name) {
    return new CalibrationAlgorithm(name);
  }

  @Override
  public int compareTo(CalibrationAlgorithm other) {
    return name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return name;
  }
}
