package dev.kvant.backend.onnx;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.WeightQuantizationConfig;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.kit.ObserverCheck;
import java.util.ArrayList;
import java.util.List;

/** Finds what a configuration asks of this backend that it cannot do. */
final class ConfigurationCheck {

  /** Begins what is said about modules of which one operand is a float8 and the other int8. */
  static final String MIXED =
      "no runtime multiplies float8 by int8, as is asked for the weights and activations";

  private ConfigurationCheck() {}

  static List<ConfigurationProblem> problems(ModelQuantizationConfig config) {
    QuantizationMode mode =
        config.mode() == null ? QuantizationMode.WEIGHT_ONLY_PTQ : config.mode();
    List<ConfigurationProblem> problems =
        new ArrayList<>(OnnxOptions.of(config).problems(mode, config.backendKwargs()));
    problems.addAll(ObserverCheck.problems(config));
    boolean isInBlocks = OnnxOptions.of(config).kernel() == OnnxOptions.Kernel.NBITS;
    for (int i = 0; i < config.layers().size(); i++) {
      LayerQuantizationConfig layer = config.layers().get(i);
      String path = "quantize.layers[%s]".formatted(i);
      if (layer.weights() != null) {
        checkWeights(path + ".weights", layer.weights(), isInBlocks, problems);
      }
      if (layer.weights() != null
          && layer.activations() != null
          && layer.weights().dtype() != null
          && layer.activations().dtype() != null
          && PlannedGraph.mixes(layer.weights().dtype(), layer.activations().dtype())) {
        problems.add(
            new ConfigurationProblem(
                path,
                MIXED + " of this rule; both must be int8, both float8, or one of them native"));
      }
    }
    return List.copyOf(problems);
  }

  private static void checkWeights(
      String path,
      WeightQuantizationConfig weights,
      boolean isInBlocks,
      List<ConfigurationProblem> problems) {
    String observer = weights.observerOrFakeQuant();
    if (observer != null
        && isInBlocks
        && !CalibrationAlgorithm.of(observer).equals(CalibrationAlgorithm.MINMAX)) {
      problems.add(
          new ConfigurationProblem(
              path + ".observer_or_fake_quant",
              "blocks of kernel: nbits always span their largest magnitude; write minmax, or leave"
                  + " it out, was '%s'".formatted(observer)));
    } else if (observer != null
        && CalibrationAlgorithm.of(observer).equals(CalibrationAlgorithm.ENTROPY)
        && problems.stream()
            .noneMatch(known -> known.path().equals(path + ".observer_or_fake_quant"))) {
      problems.add(
          new ConfigurationProblem(
              path + ".observer_or_fake_quant",
              "a channel of a weight has too few values to compare distributions; write minmax, mse"
                  + " or percentile, was '%s'".formatted(observer)));
    }
  }
}
