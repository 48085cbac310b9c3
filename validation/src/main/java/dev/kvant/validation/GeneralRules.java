package dev.kvant.validation;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandQuantizationConfig;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.RuleReference;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Checks that hold for every backend and that no single constraint can express. */
final class GeneralRules {

  private GeneralRules() {}

  static void check(
      ModelQuantizationConfig config,
      List<ConfigurationProblem> problems,
      List<QuantizationWarning> warnings) {
    for (int i = 0; i < config.layers().size(); i++) {
      LayerQuantizationConfig layer = config.layers().get(i);
      if (saysNothing(layer)) {
        silent(i, layer, config.strict(), problems, warnings);
      }
      for (Operand operand : Operand.values()) {
        OperandQuantizationConfig part = layer.operand(operand);
        if (part != null && part.quantAxis() != null && part.granularity() != null) {
          problems.add(
              new ConfigurationProblem(
                  "quantize.layers[%s].%s.granularity".formatted(i, operand.label()),
                  "'%s' and quant_axis %d are in one rule; write one of them"
                      .formatted(part.granularity(), part.quantAxis())));
        }
      }
    }
    for (Map.Entry<String, String> entry : config.moduleClasses().entrySet()) {
      if (entry.getKey().isBlank() || entry.getValue().isBlank()) {
        problems.add(
            new ConfigurationProblem(
                "quantize.module_classes",
                "'%s: %s' needs a pattern and a class name"
                    .formatted(entry.getKey(), entry.getValue())));
      }
    }
    if (!config.device().isKnown()) {
      problems.add(
          new ConfigurationProblem(
              "quantize.device",
              "'%s' is not a device; use cpu, cuda or cuda:N".formatted(config.device())));
    }
  }

  private static boolean saysNothing(LayerQuantizationConfig layer) {
    return Arrays.stream(Operand.values()).map(layer::operand).noneMatch(GeneralRules::says);
  }

  private static boolean says(@Nullable OperandQuantizationConfig part) {
    return part != null
        && (part.dtype() != null
            || part.quantAxis() != null
            || part.granularity() != null
            || part.observerOrFakeQuant() != null);
  }

  private static void silent(
      int index,
      LayerQuantizationConfig layer,
      boolean strict,
      List<ConfigurationProblem> problems,
      List<QuantizationWarning> warnings) {
    String message = "says nothing about weights or activations; give one of them a dtype";
    if (strict) {
      problems.add(new ConfigurationProblem("quantize.layers[" + index + "]", message));
    } else {
      RuleReference rule = RuleReference.layer(index, layer.moduleName());
      warnings.add(
          new QuantizationWarning(
              QuantizationWarning.Kind.IGNORED_SETTING, rule + " " + message, rule, List.of()));
    }
  }
}
