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
import java.util.Optional;
import java.util.Set;

/** Finds what a configuration asks of this backend that it cannot do. */
final class ConfigurationCheck {

  /** Begins what is said about modules of which one operand is a float8 and the other int8. */
  static final String MIXED =
      "no runtime multiplies float8 by int8, as is asked for the weights and activations";

  private static final Set<CalibrationAlgorithm> IN_BLOCKS =
      Set.of(
          CalibrationAlgorithm.MINMAX,
          CalibrationAlgorithm.MSE,
          CalibrationAlgorithm.GPTQ,
          CalibrationAlgorithm.AWQ);

  private ConfigurationCheck() {}

  static List<ConfigurationProblem> problems(ModelQuantizationConfig config) {
    QuantizationMode mode =
        config.mode() == null ? QuantizationMode.WEIGHT_ONLY_PTQ : config.mode();
    List<ConfigurationProblem> problems =
        new ArrayList<>(OnnxOptions.of(config).problems(mode, config.backendKwargs()));
    problems.addAll(ObserverCheck.problems(config));
    boolean isInBlocks = OnnxOptions.of(config).kernel() == OnnxOptions.Kernel.NBITS;
    if (QuantizationMode.WEIGHT_ONLY_PTQ.equals(mode)) {
      problem(config.algorithm(), isInBlocks)
          .ifPresent(
              reason ->
                  problems.add(
                      new ConfigurationProblem(
                          "quantize.algorithm",
                          "%s, was '%s'".formatted(reason, config.algorithm()))));
    }
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
        && problems.stream()
            .noneMatch(known -> known.path().equals(path + ".observer_or_fake_quant"))) {
      problem(CalibrationAlgorithm.of(observer), isInBlocks)
          .ifPresent(
              reason ->
                  problems.add(
                      new ConfigurationProblem(
                          path + ".observer_or_fake_quant",
                          "%s, was '%s'".formatted(reason, observer))));
    }
  }

  /** Why an algorithm cannot choose how weights are stored; empty if it can. */
  private static Optional<String> problem(CalibrationAlgorithm algorithm, boolean isInBlocks) {
    if (isInBlocks && !IN_BLOCKS.contains(algorithm)) {
      return Optional.of(
          "blocks of kernel: nbits have too few values for it; write minmax, mse, gptq or awq");
    }
    if (!isInBlocks
        && (algorithm.equals(CalibrationAlgorithm.GPTQ)
            || algorithm.equals(CalibrationAlgorithm.AWQ))) {
      return Optional.of(
          "is for kernel: nbits alone; set that, or write minmax, mse or percentile");
    }
    return algorithm.equals(CalibrationAlgorithm.ENTROPY)
        ? Optional.of(
            "a channel of a weight has too few values to compare distributions; write minmax, mse"
                + " or percentile")
        : Optional.empty();
  }
}
