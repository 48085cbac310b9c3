package dev.kvant.backend.onnx.rewrite;

import dev.kvant.backend.onnx.calibration.ActivationSteps;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.plan.QuantizedActivation;
import dev.kvant.backend.onnx.preprocess.UnusedConstants;
import dev.kvant.backend.onnx.weights.QuantizedWeight;
import dev.kvant.backend.onnx.weights.SeveralWeights;
import dev.kvant.backend.onnx.weights.WeightResult;
import dev.kvant.kit.NoRange;
import dev.kvant.numerics.observer.AffineStep;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.spi.ProgressReporter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Does to a graph what is planned for it.
 *
 * @since 0.1.0
 */
public final class GraphRewriter {

  private final PlannedGraph planned;
  private final ActivationSteps steps;
  private final OnnxOptions options;
  private final CodeRange codeRange;
  private final WeightRewriter weightRewriter;
  private final ActivationRewriter activationRewriter;
  private final BiasRewriter biasRewriter;
  private final BlockRewriter blockRewriter;
  private final DynamicRewriter dynamicRewriter;

  public GraphRewriter(
      PlannedGraph planned,
      ActivationSteps steps,
      BlockInputs blockInputs,
      OnnxOptions options,
      int parallelism) {
    this.planned = planned;
    this.steps = steps;
    this.options = options;
    this.codeRange = new CodeRange(options);
    this.weightRewriter =
        new WeightRewriter(
            planned.model(), options.target() == OnnxOptions.Target.CPU, parallelism);
    this.activationRewriter = new ActivationRewriter(planned.model(), options);
    this.biasRewriter = new BiasRewriter(planned.model());
    this.blockRewriter = new BlockRewriter(planned.model(), options, blockInputs, parallelism);
    this.dynamicRewriter = new DynamicRewriter(planned.model(), codeRange, parallelism);
  }

  /**
   * Rewrites the graph.
   *
   * @param activations the activations to quantize
   * @param folded nodes whose work the ranges of codes do; one stays where the data gave the codes
   *     no range
   * @param integers the modules that multiply codes
   * @return the quantized weights by the name of their module. A weight that multiplies masks stays
   *     native: ONNX Runtime may multiply codes before it scales them, and a mask times a code
   *     exceeds float32
   */
  public Map<String, WeightResult> rewrite(
      List<QuantizedActivation> activations,
      Set<Node> folded,
      Set<String> integers,
      ProgressReporter progress) {
    Set<String> withoutRange = new HashSet<>();
    Set<Node> masked = new HashSet<>();
    List<QuantizedActivation> withRange = new ArrayList<>();
    for (QuantizedActivation activation : activations) {
      Optional<NoRange> reason = steps.noRange(activation);
      if (reason.isPresent()) {
        withoutRange.add(activation.activation().tensor());
        if (reason.get() == NoRange.MASKS) {
          activation.readers().forEach(reader -> masked.add(reader.node()));
        }
      } else {
        withRange.add(activation);
      }
    }
    folded.stream()
        .filter(node -> !withoutRange.contains(node.outputs().get(0)))
        .forEach(this::fold);
    Map<Node, AffineStep> inputs = new HashMap<>();
    for (QuantizedActivation activation : withRange) {
      AffineStep step = steps.of(activation);
      activationRewriter.rewrite(activation, step);
      activation.readers().forEach(reader -> inputs.put(reader.node(), step));
    }
    Map<String, WeightResult> weights = new LinkedHashMap<>();
    for (Planned module : planned.modules()) {
      if (module.decision().weights().isQuantized() && !masked.contains(module.node())) {
        weights.put(module.name(), rewriteWeight(module, integers, inputs));
      }
      progress.advance(1, module.name());
    }
    biasRewriter.rewrite();
    UnusedConstants.remove(planned.model());
    return weights;
  }

  private WeightResult rewriteWeight(
      Planned module, Set<String> integers, Map<Node, AffineStep> inputs) {
    if (planned.dynamic()
        && module.decision().activations().isQuantized()
        && DynamicRewriter.fits(module)) {
      return dynamicRewriter.rewrite(module);
    }
    if (options.kernel() == OnnxOptions.Kernel.NBITS
        && BlockRewriter.obstacle(module, options).isEmpty()) {
      return blockRewriter.rewrite(module);
    }
    if (module.weights().size() > 1) {
      return new SeveralWeights(
          module.weights().stream().map(each -> weightRewriter.rewrite(module, each)).toList());
    }
    QuantizedWeight weight = weightRewriter.rewrite(module, module.weight());
    AffineStep step = inputs.get(module.node());
    if (step != null) {
      GemmFactors.moveBehind(planned.model(), module);
    }
    if (step != null && integers.contains(module.name())) {
      codeRange.fit(weight, module);
      if (options.target() == OnnxOptions.Target.CPU) {
        biasRewriter.add(module, weight, step);
      }
    }
    return weight;
  }

  /** Leaves out a node behind another one, which writes what the node wrote. */
  private void fold(Node node) {
    Graph graph = planned.model().graph();
    Node writer = Objects.requireNonNull(graph.producer(node.input(0)), node.input(0));
    writer.outputs().set(0, node.outputs().get(0));
    graph.removeNode(node);
  }
}
