package dev.kvant.kit;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandQuantizationConfig;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds what a configuration requests of {@link Observers} that none of them can do: options that
 * they do not have, and {@code entropy} for float8.
 *
 * @since 0.1.0
 */
public final class ObserverCheck {

  private static final String NO_ENTROPY =
      "entropy compares distributions over integers of equal distance, which float8 has not; use"
          + " one of minmax, percentile, mse";

  private final ModelQuantizationConfig config;
  private final Set<ConfigurationProblem> problems = new LinkedHashSet<>();

  private ObserverCheck(ModelQuantizationConfig config) {
    this.config = config;
  }

  /** The problems of a configuration, for a backend's {@code validate}. */
  public static List<ConfigurationProblem> problems(ModelQuantizationConfig config) {
    var check = new ObserverCheck(config);
    for (Operand operand : Operand.values()) {
      if (check.isEntropy(null) && isFloat8(config.defaultDtype(operand))) {
        check.problem("algorithm", NO_ENTROPY);
      }
    }
    for (int i = 0; i < config.layers().size(); i++) {
      LayerQuantizationConfig layer = config.layers().get(i);
      for (Operand operand : Operand.values()) {
        OperandQuantizationConfig part = layer.operand(operand);
        if (part != null) {
          check.check("layers[%d].%s".formatted(i, operand.label()), part);
        }
      }
    }
    return List.copyOf(check.problems);
  }

  private void check(String path, OperandQuantizationConfig part) {
    String observer = part.observerOrFakeQuant();
    if (isEntropy(observer) && isFloat8(part.dtype())) {
      problem(observer == null ? "algorithm" : path + ".observer_or_fake_quant", NO_ENTROPY);
    }
    for (Map.Entry<String, Object> option : part.observerOrFakeQuantKwargs().entrySet()) {
      String key = path + ".observer_or_fake_quant_kwargs." + option.getKey();
      if (!option.getKey().equals(Observers.PERCENTILE)) {
        problem(key, "is unknown; the only one is percentile, as in 99.99");
      } else if (!(option.getValue() instanceof Number percentage)
          || !(percentage.doubleValue() > 0 && percentage.doubleValue() <= 100)) {
        problem(key, "must be a number above 0, at most 100, was " + option.getValue());
      }
    }
  }

  private boolean isEntropy(@Nullable String observer) {
    CalibrationAlgorithm algorithm =
        observer == null ? config.algorithm() : CalibrationAlgorithm.of(observer);
    return algorithm.equals(CalibrationAlgorithm.ENTROPY);
  }

  private static boolean isFloat8(@Nullable Dtype dtype) {
    return Dtype.FP8_E4M3FN.equals(dtype) || Dtype.FP8_E5M2.equals(dtype);
  }

  private void problem(String path, String message) {
    problems.add(new ConfigurationProblem("quantize." + path, message));
  }
}
