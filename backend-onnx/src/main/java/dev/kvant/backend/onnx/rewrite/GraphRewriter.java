package dev.kvant.backend.onnx.rewrite;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.Dtype;
import dev.kvant.backend.onnx.calibration.ActivationSteps;
import dev.kvant.backend.onnx.plan.Activation;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.preprocess.UnusedConstants;
import dev.kvant.backend.onnx.weights.QuantizedWeight;
import dev.kvant.backend.onnx.weights.WeightResult;
import dev.kvant.numerics.observer.AffineStep;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.spi.ProgressReporter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Does to a graph what is planned for it.
 *
 * @since 0.1.0
 */
public final class GraphRewriter {

  /** A node and what of its activations is quantized. */
  private record Rewrite(Planned module, Optional<Activation> input, Optional<Activation> output) {}

  private final PlannedGraph planned;
  private final ActivationSteps steps;
  private final OnnxOptions options;
  private final WeightRewriter weightRewriter;
  private final ActivationRewriter activationRewriter;
  private final BiasRewriter biasRewriter;
  private final BlockRewriter blockRewriter;
  private final DynamicRewriter dynamicRewriter;

  public GraphRewriter(
      PlannedGraph planned, ActivationSteps steps, OnnxOptions options, int parallelism) {
    this.planned = planned;
    this.steps = steps;
    this.options = options;
    this.weightRewriter = new WeightRewriter(planned.model(), parallelism);
    this.activationRewriter = new ActivationRewriter(planned.model(), options);
    this.biasRewriter = new BiasRewriter(planned.model());
    this.blockRewriter = new BlockRewriter(planned.model(), options);
    this.dynamicRewriter = new DynamicRewriter(planned.model(), options.reduceRange(), parallelism);
  }

  /**
   * Rewrites the graph.
   *
   * @return the quantized weights by the name of their module
   * @throws CalibrationException if activations are to be quantized that were not observed
   */
  public Map<String, WeightResult> rewrite(ProgressReporter progress) {
    Map<String, WeightResult> weights = new LinkedHashMap<>();
    // Graphs and activations are named as they were observed, so all are looked up first.
    List<Rewrite> rewrites = planned.modules().stream().map(this::rewrite).toList();
    for (Rewrite rewrite : rewrites) {
      Planned module = rewrite.module();
      Optional<AffineStep> step = rewriteInput(module, rewrite.input());
      if (!module.decision().weights().isQuantized()) {
        progress.advance(1, module.name());
        continue;
      }
      if (planned.dynamic()
          && module.decision().activations().isQuantized()
          && DynamicRewriter.fits(module)) {
        weights.put(module.name(), dynamicRewriter.rewrite(module));
      } else if (options.kernel() == OnnxOptions.Kernel.NBITS && BlockRewriter.fits(module)) {
        weights.put(module.name(), blockRewriter.rewrite(module));
      } else {
        QuantizedWeight weight = weightRewriter.rewrite(module);
        weights.put(module.name(), weight);
        if (step.isPresent() && options.target() == OnnxOptions.Target.CPU && isInt8(module)) {
          biasRewriter.add(module, weight, step.get());
        }
      }
      progress.advance(1, module.name());
    }
    biasRewriter.rewrite();
    for (Rewrite rewrite : rewrites) {
      Planned module = rewrite.module();
      rewrite
          .output()
          .ifPresent(
              activation ->
                  activationRewriter.rewriteOutput(
                      activation, step(module, activation), module.graph(), module.node()));
    }
    UnusedConstants.remove(planned.model());
    return weights;
  }

  private Rewrite rewrite(Planned module) {
    return planned.dynamic()
        ? new Rewrite(module, Optional.empty(), Optional.empty())
        : new Rewrite(module, module.input(options), module.output(options));
  }

  private Optional<AffineStep> rewriteInput(Planned module, Optional<Activation> input) {
    if (input.isEmpty()) {
      return Optional.empty();
    }
    Activation activation = input.get();
    AffineStep step = step(module, activation);
    Graph home = module.graph().home(module.node().input(module.activationInput()));
    activationRewriter.rewriteInput(
        activation,
        step,
        home == null ? module.graph() : home,
        module.node(),
        module.activationInput());
    return Optional.of(step);
  }

  private static boolean isInt8(Planned module) {
    return module.decision().weights().dtype().equals(module.decision().activations().dtype())
        && module.decision().weights().dtype().equals(Dtype.INT8);
  }

  private AffineStep step(Planned module, Activation activation) {
    return steps
        .of(activation)
        .orElseThrow(
            () ->
                new CalibrationException(
                    "'%s', an input or output of %s, never had a value while the calibration data"
                            .formatted(activation.name(), module.name())
                        + " ran; add data that reaches it, or leave its activations native"));
  }
}
