package dev.kvant.validation;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandQuantizationConfig;
import dev.kvant.api.QuantizationWarning;
import java.util.Arrays;
import java.util.List;

/** Checks that a configuration asks for something: what asks for nothing would write a copy. */
final class RequestedQuantization {

  private RequestedQuantization() {}

  static void check(
      ModelQuantizationConfig config,
      List<ConfigurationProblem> problems,
      List<QuantizationWarning> warnings) {
    if (isRequested(config)) {
      return;
    }
    String message =
        "no rule or default asks for anything to be quantized; add a rule with a dtype, as in"
            + " {module_name: Linear, weights: {dtype: int8}}, or set default_layer_dtype";
    if (config.strict()) {
      problems.add(new ConfigurationProblem("quantize.layers", message));
    } else {
      warnings.add(
          new QuantizationWarning(QuantizationWarning.Kind.OTHER, message, null, List.of()));
    }
  }

  private static boolean isRequested(ModelQuantizationConfig config) {
    return Arrays.stream(Operand.values())
        .anyMatch(
            operand ->
                !config.defaultDtype(operand).isNative()
                    || config.layers().stream().anyMatch(layer -> asks(layer, operand)));
  }

  private static boolean asks(LayerQuantizationConfig layer, Operand operand) {
    OperandQuantizationConfig part = layer.operand(operand);
    Dtype dtype = part == null ? null : part.dtype();
    return dtype != null && !dtype.isNative();
  }
}
