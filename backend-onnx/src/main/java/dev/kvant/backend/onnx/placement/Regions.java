package dev.kvant.backend.onnx.placement;

import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the operators that compute with codes so that the graph takes the least time: that of the
 * kernels, and that of quantizing and restoring the tensors between operators of both kinds.
 *
 * <p>An operator computes either with codes or in float, so the cheapest choice is a minimum cut:
 * on its first side are operators with codes. Cut are, for each operator, the costs of the other
 * way of computing; for each tensor that floats are written to and codes are read from, the cost of
 * quantizing it, once for all its readers; and likewise that of restoring it.
 */
final class Regions {

  private final List<Operator> operators;
  private final CostTable costs;
  private final Sizes sizes;
  private final Set<Operator> useful;

  Regions(List<Operator> operators, CostTable costs, Sizes sizes) {
    this.operators = operators;
    this.costs = costs;
    this.sizes = sizes;
    this.useful = useful(operators);
  }

  /** What a choice of operators takes. */
  record Choice(Set<Operator> integers, double nanoseconds) {}

  /** The cheapest choice among the operators within some reach. */
  Choice within(Reach reach) {
    MinimumCut cut = new MinimumCut();
    Map<Operator, Integer> nodes = new LinkedHashMap<>();
    Map<String, Operator> writers = new HashMap<>();
    for (Operator operator : operators) {
      int node = cut.add();
      nodes.put(operator, node);
      operator.outputs().forEach(output -> writers.put(output, operator));
      boolean may = useful.contains(operator) && operator.reach().compareTo(reach) <= 0;
      cut.costsOnFirstSide(node, may ? costs.inInteger(operator, sizes) : MinimumCut.FORBIDDEN);
      cut.costsOnSecondSide(node, costs.inFloat(operator, sizes));
    }
    tensors()
        .forEach((tensor, readers) -> addTensor(cut, nodes, writers.get(tensor), tensor, readers));
    BitSet first = cut.firstSide();
    Set<Operator> integers = new LinkedHashSet<>();
    nodes.forEach(
        (operator, node) -> {
          if (first.get(node)) {
            integers.add(operator);
          }
        });
    return new Choice(integers, nanoseconds(integers));
  }

  private void addTensor(
      MinimumCut cut,
      Map<Operator, Integer> nodes,
      @Nullable Operator writer,
      String tensor,
      Set<Operator> readers) {
    boolean writesCodes = writer != null && writer.kernel().writesCodes();
    int quantized = cut.add();
    int restored = cut.add();
    for (Operator reader : readers) {
      if (reader.kernel() != Kernel.NONE) {
        cut.costsApart(node(nodes, reader), quantized, MinimumCut.FORBIDDEN);
      }
      if (writesCodes) {
        cut.costsApart(restored, node(nodes, reader), MinimumCut.FORBIDDEN);
      }
    }
    if (writer != null && writesCodes) {
      cut.costsApart(quantized, node(nodes, writer), costs.quantize(tensor, sizes));
      cut.costsApart(node(nodes, writer), restored, costs.dequantize(tensor, sizes));
    } else {
      cut.costsOnFirstSide(quantized, costs.quantize(tensor, sizes));
    }
  }

  private static int node(Map<Operator, Integer> nodes, Operator operator) {
    return Objects.requireNonNull(nodes.get(operator));
  }

  private Map<String, Set<Operator>> tensors() {
    Map<String, Set<Operator>> readers = new LinkedHashMap<>();
    for (Operator operator : operators) {
      operator
          .inputs()
          .forEach(
              input ->
                  readers
                      .computeIfAbsent(input.tensor(), key -> new LinkedHashSet<>())
                      .add(operator));
    }
    return readers;
  }

  /** What a choice takes in all. */
  double nanoseconds(Set<Operator> integers) {
    double sum = 0;
    Map<String, Operator> writers = new HashMap<>();
    for (Operator operator : operators) {
      operator.outputs().forEach(output -> writers.put(output, operator));
      sum +=
          integers.contains(operator)
              ? costs.inInteger(operator, sizes)
              : costs.inFloat(operator, sizes);
    }
    for (Map.Entry<String, Set<Operator>> tensor : tensors().entrySet()) {
      Operator writer = writers.get(tensor.getKey());
      boolean areCodes =
          writer != null && writer.kernel().writesCodes() && integers.contains(writer);
      if (areCodes && !integers.containsAll(tensor.getValue())) {
        sum += costs.dequantize(tensor.getKey(), sizes);
      }
      if (!areCodes && tensor.getValue().stream().anyMatch(integers::contains)) {
        sum += costs.quantize(tensor.getKey(), sizes);
      }
    }
    return sum;
  }

  /** What the model takes as it was. */
  double nanosecondsInFloat() {
    return operators.stream().mapToDouble(operator -> costs.inOriginal(operator, sizes)).sum();
  }

  /**
   * The operators with a kernel that lie between products: what comes behind the last of them, such
   * as coordinates of boxes, stays float.
   */
  static Set<Operator> useful(List<Operator> operators) {
    Set<Operator> useful = inFront(operators);
    useful.removeIf(operator -> operator.kernel() == Kernel.NONE);
    return useful;
  }

  /** The operators that a product with a kernel depends on, and those products. */
  static Set<Operator> inFront(List<Operator> operators) {
    Set<Operator> inFront = new LinkedHashSet<>();
    Set<String> wanted = new HashSet<>();
    for (int i = operators.size() - 1; i >= 0; i--) {
      Operator operator = operators.get(i);
      boolean isProduct = operator.hasWeights() && operator.kernel() != Kernel.NONE;
      if (isProduct || operator.outputs().stream().anyMatch(wanted::contains)) {
        operator.inputs().forEach(input -> wanted.add(input.tensor()));
        inFront.add(operator);
      }
    }
    return inFront;
  }
}
