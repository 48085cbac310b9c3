package dev.kvant.backend.modelopt;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandQuantizationConfig;
import dev.kvant.kit.Observers;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds what a configuration asks of this backend that it cannot do. */
final class ConfigurationCheck {

  private static final String NO_ENTROPY =
      "entropy compares distributions over integers of equal distance, which float8 has not; use"
          + " one of minmax, percentile, mse";

  private final ModelQuantizationConfig config;
  private final List<ConfigurationProblem> problems = new ArrayList<>();

  private ConfigurationCheck(ModelQuantizationConfig config) {
    this.config = config;
  }

  static List<ConfigurationProblem> problems(ModelQuantizationConfig config) {
    var check = new ConfigurationCheck(config);
    for (Operand operand : Operand.values()) {
      if (isEntropy(null, config) && isFloat8(config.defaultDtype(operand))) {
        check.problem("algorithm", NO_ENTROPY);
      }
    }
    for (int i = 0; i < config.layers().size(); i++) {
      LayerQuantizationConfig layer = config.layers().get(i);
      for (Operand operand : Operand.values()) {
        OperandQuantizationConfig part = layer.operand(operand);
        if (part != null) {
          check.check("layers[%s].%s".formatted(i, operand.label()), part);
        }
      }
    }
    return check.problems.stream().distinct().toList();
  }

  private void check(String path, OperandQuantizationConfig part) {
    String observer = part.observerOrFakeQuant();
    if (isEntropy(observer, config) && isFloat8(part.dtype())) {
      problem(observer == null ? "algorithm" : path + ".observer_or_fake_quant", NO_ENTROPY);
    }
    problems.addAll(Observers.problems("quantize." + path, part.observerOrFakeQuantKwargs()));
  }

  private static boolean isEntropy(@Nullable String observer, ModelQuantizationConfig config) {
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
