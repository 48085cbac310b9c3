package dev.kvant.backend.onnx.rewrite;

import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.weights.KernelPairs;
import dev.kvant.backend.onnx.weights.QuantizedWeight;

/** Limits the codes of weights that are multiplied by codes of activations. */
final class CodeRange {

  private final OnnxOptions options;

  CodeRange(OnnxOptions options) {
    this.options = options;
  }

  /** Raises the scales of a weight as a module that multiplies codes needs it; also repeatedly. */
  void fit(QuantizedWeight weight, Planned module) {
    switch (options.reduceRange()) {
      case AUTO -> {
        boolean isForProcessors = options.target() == OnnxOptions.Target.CPU;
        boolean isForChannels =
            module.scaleAxis() < 0 || module.scaleAxis() == module.weight().channelAxis();
        if (isForProcessors && isForChannels) {
          KernelPairs.of(module.node(), module.weight()).ifPresent(weight::fit);
        }
      }
      case TRUE -> weight.reduceRange();
      case FALSE -> {}
    }
  }
}
