package dev.kvant.backend.onnx;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.Requirement;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.OnnxOptions.ReduceRange;
import dev.kvant.spi.Processor;
import java.util.List;
import java.util.Optional;

/** Whether sums of products of codes may overflow on a processor. */
final class CodeOverflow {

  private static final String VNNI = "VNNI";

  private CodeOverflow() {}

  /** A warning if they may where this process runs. */
  static Optional<QuantizationWarning> warning(
      OnnxOptions options, QuantizationPlan plan, Processor processor) {
    List<String> products = products(plan);
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

  /** What sums that may overflow require of the CPU or of the runtime; empty without products. */
  static List<Requirement> requirements(OnnxOptions options, QuantizationPlan plan) {
    if (products(plan).isEmpty()) {
      return List.of();
    }
    if (isLimited(options)) {
      return List.of(
          new Requirement(
              VNNI,
              "not needed",
              "%s: %s keeps sums of two products within 16 bits"
                  .formatted(OnnxOptions.REDUCE_RANGE, options.reduceRange().label())));
    }
    return List.of(
        new Requirement(
            VNNI,
            "needed on x86-64",
            "other x86-64 CPUs add two products in 16 bits, which can" + " overflow"),
        new Requirement(
            "session.x64quantprecision",
            "1 without VNNI",
            "this option of ONNX Runtime's sessions computes such products exactly"));
  }

  private static List<String> products(QuantizationPlan plan) {
    return plan.quantized().stream()
        .filter(module -> module.weights().dtype().equals(Dtype.INT8))
        .filter(module -> module.activations().dtype().equals(Dtype.INT8))
        .map(ModuleDecision::module)
        .toList();
  }

  private static boolean isLimited(OnnxOptions options) {
    return switch (options.reduceRange()) {
      case AUTO -> options.target() == OnnxOptions.Target.CPU;
      case TRUE -> true;
      case FALSE -> false;
    };
  }
}
