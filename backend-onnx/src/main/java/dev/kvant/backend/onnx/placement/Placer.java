package dev.kvant.backend.onnx.placement;

import dev.kvant.backend.onnx.placement.Placement.Estimate;
import dev.kvant.backend.onnx.placement.Regions.Choice;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Places quantization in a model's own graph for ONNX Runtime's processor.
 *
 * @since 0.1.0
 */
public final class Placer {

  /** How much slower than the fastest regions smaller ones may be, which are more accurate. */
  private static final double TOLERANCE = 1.1;

  private static final String NO_KERNEL = "ONNX Runtime has no integer kernel for it";

  private static final String SLOWER =
      "by the table of kernel costs, quantizing its input would take more time than int8 saves";

  private final Graph graph;
  private final List<Operator> operators;

  /**
   * @param products what is planned for products with constants
   * @param isAllowed whether the plan lets a node without weights compute in integers
   */
  public Placer(Graph graph, Map<Node, Product> products, Predicate<Node> isAllowed) {
    this.graph = graph;
    this.operators = Operators.of(graph, products, isAllowed);
  }

  /**
   * The tensors that may be quantized, and those whose sizes costs depend on, in the order in which
   * they are computed.
   */
  public Set<String> candidates() {
    Set<String> tensors = new LinkedHashSet<>();
    Set<Operator> useful = Regions.useful(operators);
    for (Operator operator : operators) {
      if (!useful.contains(operator)) {
        continue;
      }
      operator.inputs().forEach(input -> tensors.add(input.tensor()));
      tensors.addAll(operator.outputs());
    }
    return tensors;
  }

  /** The best placement. */
  public Placement place(Optimize optimize, Sizes sizes) {
    Regions regions = new Regions(operators, CostTable.cpu(), sizes);
    double original = regions.nanosecondsInFloat();
    Choice fastest = regions.within(Reach.FUNCTIONS);
    Choice chosen = fastest;
    if (optimize != Optimize.SPEED) {
      for (Reach reach : Reach.values()) {
        Choice smaller = regions.within(reach);
        if (smaller.nanoseconds() <= TOLERANCE * fastest.nanoseconds()) {
          chosen = smaller;
          break;
        }
      }
    }
    return placed(chosen, new Estimate(original, chosen.nanoseconds()));
  }

  private Placement placed(Choice choice, Estimate estimate) {
    Set<Node> integers = new HashSet<>();
    Set<Node> folded = new HashSet<>();
    Map<Node, String> inFloat = new HashMap<>();
    for (Operator operator : operators) {
      if (choice.integers().contains(operator)) {
        integers.add(operator.node());
        if (operator.folded() != null) {
          folded.add(operator.folded());
        }
      } else if (operator.hasWeights()) {
        inFloat.put(operator.node(), operator.kernel() == Kernel.NONE ? NO_KERNEL : SLOWER);
      }
    }
    return new Placement(
        integers, new Pairs(graph, operators, choice.integers()).find(), folded, inFloat, estimate);
  }
}
