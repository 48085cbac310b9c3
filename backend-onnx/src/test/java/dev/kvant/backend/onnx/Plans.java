package dev.kvant.backend.onnx;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.RuleReference;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/** Plans without rules: what the tests want of each module, where the backend supports it. */
final class Plans {

  private static final OnnxBackend BACKEND = new OnnxBackend();

  private Plans() {}

  /** What a module becomes. */
  record Wish(Dtype weights, Dtype activations, OperandSettings settings) {

    static final Wish NATIVE = new Wish(Dtype.NATIVE, Dtype.NATIVE, OperandSettings.DEFAULT);

    static Wish weights(Dtype dtype) {
      return new Wish(dtype, Dtype.NATIVE, OperandSettings.DEFAULT);
    }

    static Wish both(Dtype dtype) {
      return new Wish(dtype, dtype, OperandSettings.DEFAULT);
    }

    Wish with(OperandSettings newSettings) {
      return new Wish(weights, activations, newSettings);
    }
  }

  static QuantizationPlan of(
      QuantizableModel model,
      QuantizationMode mode,
      BiFunction<ModelQuantizationConfig, ModuleDescription, Wish> wishes,
      ModelQuantizationConfig config) {
    return of(model, mode, wishes, operator -> false, config);
  }

  /**
   * @param isKept the operators without weights that stay native
   */
  static QuantizationPlan of(
      QuantizableModel model,
      QuantizationMode mode,
      BiFunction<ModelQuantizationConfig, ModuleDescription, Wish> wishes,
      Predicate<ModuleDescription> isKept,
      ModelQuantizationConfig config) {
    List<ModuleDecision> decisions =
        model.modules().stream()
            .filter(ModuleDescription::hasWeights)
            .map(
                module -> {
                  Wish wish = wishes.apply(config, module);
                  return new ModuleDecision(
                      module.name(),
                      module.type(),
                      false,
                      decide(module, Operand.WEIGHTS, wish.weights(), wish.settings(), config),
                      decide(
                          module,
                          Operand.ACTIVATIONS,
                          wish.activations(),
                          wish.settings(),
                          config));
                })
            .toList();
    List<ModuleDecision> kept =
        model.operators().stream()
            .filter(isKept)
            .map(
                operator ->
                    new ModuleDecision(
                        operator.name(),
                        operator.type(),
                        false,
                        OperandDecision.untouched(),
                        new OperandDecision(
                            Dtype.NATIVE,
                            Dtype.NATIVE,
                            RuleReference.skip(0, operator.type()),
                            List.of(),
                            null,
                            Map.of(),
                            OperandSettings.DEFAULT)))
            .toList();
    return new QuantizationPlan("onnx", mode, decisions, kept, List.of());
  }

  private static OperandDecision decide(
      ModuleDescription module,
      Operand operand,
      Dtype dtype,
      OperandSettings settings,
      ModelQuantizationConfig config) {
    if (dtype.isNative()) {
      return OperandDecision.untouched();
    }
    Support support =
        BACKEND.supports(new SupportQuery(module, operand, dtype, null, OnnxFormat.ID, config));
    String reason = support instanceof Support.No no ? no.reason() : null;
    return new OperandDecision(
        reason == null ? dtype : Dtype.NATIVE, dtype, null, List.of(), reason, Map.of(), settings);
  }
}
