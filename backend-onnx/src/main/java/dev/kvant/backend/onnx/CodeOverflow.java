package dev.kvant.backend.onnx;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.OnnxOptions.ReduceRange;
import dev.kvant.spi.Processor;
import java.util.List;
import java.util.Optional;

/** Whether sums of products of codes may overflow on a processor. */
final class CodeOverflow {

  private CodeOverflow() {}

  /** A warning if they may where this process runs. */
  static Optional<QuantizationWarning> warning(
      OnnxOptions options, QuantizationPlan plan, Processor processor) {
    List<String> products =
        plan.quantized().stream()
            .filter(module -> module.weights().dtype().equals(Dtype.INT8))
            .filter(module -> module.activations().dtype().equals(Dtype.INT8))
            .map(ModuleDecision::module)
            .toList();
    if (products.isEmpty() || !processor.addsProductsIn16Bits() || isLimited(options)) {
      return Optional.empty();
    }
    ReduceRange remedy =
        options.target() == OnnxOptions.Target.CPU ? ReduceRange.AUTO : ReduceRange.TRUE;
    return Optional.of(
        new QuantizationWarning(
            QuantizationWarning.Kind.OTHER,
            "this CPU has no VNNI: ONNX Runtime adds pairs of products with 8-bit weights in 16"
                + " bits here, which can overflow; set backend_kwargs.%s: %s, or run the artifact"
                    .formatted(OnnxOptions.REDUCE_RANGE, remedy.label())
                + " with ONNX Runtime's session option session.x64quantprecision: 1",
            null,
            products));
  }

  private static boolean isLimited(OnnxOptions options) {
    return switch (options.reduceRange()) {
      case AUTO -> options.target() == OnnxOptions.Target.CPU;
      case TRUE -> true;
      case FALSE -> false;
    };
  }
}
