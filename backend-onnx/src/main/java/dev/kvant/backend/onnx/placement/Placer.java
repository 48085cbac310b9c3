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

  private static final String BEHIND =
      "no product that is quantized depends on it: outputs, and what is computed of them, such as"
          + " boxes, stay float";

  private static final String CHOOSES =
      "other values are chosen by what it computes, scores or coordinates, as by TopK or GridSample";

  private static final String MORE_ACCURATE =
      "regions without it are at most %.0f %% slower and more accurate; optimize: speed includes it"
          .formatted(100 * (TOLERANCE - 1));

  private static final String SLOWER =
      "by the table of kernel costs, quantizing its input would take more time than int8 saves";

  private final Graph graph;
  private final List<Operator> operators;
  private final FloatValues floats;
  private final Set<Node> choosing;

  /**
   * @param products what is planned for products with constants
   * @param isAllowed whether the plan lets a node without weights compute in integers
   */
  public Placer(Graph graph, Map<Node, Product> products, Predicate<Node> isAllowed) {
    this.graph = graph;
    this.floats = FloatValues.of(graph, products);
    this.choosing = Choosing.of(graph);
    this.operators =
        Operators.of(
            graph, products, floats, node -> isAllowed.test(node) && !choosing.contains(node));
  }

  /**
   * Whether an operator without weights can be part of a region of integers, with a kernel of its
   * own or by the range of the codes in front of it.
   */
  public static boolean takes(String operator) {
    return CpuKernels.takes(operator) || Bounds.FOLDED.contains(operator);
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
    Reach reached = Reach.FUNCTIONS;
    if (optimize != Optimize.SPEED) {
      for (Reach reach : Reach.values()) {
        Choice smaller = regions.within(reach);
        if (smaller.nanoseconds() <= TOLERANCE * fastest.nanoseconds()) {
          chosen = smaller;
          reached = reach;
          break;
        }
      }
    }
    return placed(chosen, reached, new Estimate(original, chosen.nanoseconds()));
  }

  private Placement placed(Choice choice, Reach reach, Estimate estimate) {
    Set<Node> integers = new HashSet<>();
    Set<Node> folded = new HashSet<>();
    Map<Node, String> inFloat = new HashMap<>();
    Set<Operator> inFront = Regions.inFront(operators);
    for (Operator operator : operators) {
      if (choice.integers().contains(operator)) {
        integers.add(operator.node());
        if (operator.folded() != null) {
          folded.add(operator.folded());
        }
      } else if (isFloat(operator)) {
        inFloat.put(operator.node(), whyInFloat(operator, reach, inFront));
      }
    }
    return new Placement(
        integers, new Pairs(graph, operators, choice.integers()).find(), folded, inFloat, estimate);
  }

  /** Whether it computes with floats, and not with shapes or indices alone. */
  private boolean isFloat(Operator operator) {
    return operator.hasWeights()
        || operator.outputs().stream().anyMatch(floats::contains)
        || operator.inputs().stream().anyMatch(input -> floats.contains(input.tensor()));
  }

  private String whyInFloat(Operator operator, Reach reach, Set<Operator> inFront) {
    if (!operator.hasWeights() && !inFront.contains(operator)) {
      return BEHIND;
    }
    if (choosing.contains(operator.node())) {
      return CHOOSES;
    }
    if (operator.kernel() == Kernel.NONE) {
      return NO_KERNEL;
    }
    return operator.reach().compareTo(reach) > 0 ? MORE_ACCURATE : SLOWER;
  }
}
