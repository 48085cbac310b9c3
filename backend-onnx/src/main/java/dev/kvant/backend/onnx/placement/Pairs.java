package dev.kvant.backend.onnx.placement;

import dev.kvant.onnx.graph.Graph;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The pairs around operators that compute with codes, with tensors sharing scales where kernels ask
 * for it: all tensors of an operator that only moves values, and those that a Concat joins and that
 * nothing else reads.
 */
final class Pairs {

  private final Graph graph;
  private final List<Operator> operators;
  private final Set<Operator> integers;
  private final Map<String, Operator> writers = new HashMap<>();
  private final Map<String, Set<Operator>> readers = new LinkedHashMap<>();
  private final Map<String, String> shared = new HashMap<>();
  private final Map<String, Scale> scales = new HashMap<>();
  private final Map<String, Bounds> bounds = new HashMap<>();

  Pairs(Graph graph, List<Operator> operators, Set<Operator> integers) {
    this.graph = graph;
    this.operators = operators;
    this.integers = integers;
    for (Operator operator : operators) {
      operator.outputs().forEach(output -> writers.put(output, operator));
      operator
          .inputs()
          .forEach(
              input ->
                  readers
                      .computeIfAbsent(input.tensor(), key -> new LinkedHashSet<>())
                      .add(operator));
    }
  }

  List<Pair> find() {
    findBounds();
    share();
    Map<String, List<Reader>> quantized = new LinkedHashMap<>();
    for (Operator operator : operators) {
      if (!integers.contains(operator)) {
        continue;
      }
      for (Reader input : operator.inputs()) {
        quantized.computeIfAbsent(input.tensor(), key -> new ArrayList<>()).add(input);
      }
      if (operator.kernel().writesCodes()) {
        operator
            .outputs()
            .forEach(output -> quantized.computeIfAbsent(output, key -> new ArrayList<>()));
      }
    }
    Map<String, List<String>> groups = new LinkedHashMap<>();
    quantized
        .keySet()
        .forEach(
            tensor -> groups.computeIfAbsent(first(tensor), key -> new ArrayList<>()).add(tensor));
    groups.forEach(
        (first, tensors) -> {
          Scale scale = scale(tensors);
          tensors.forEach(tensor -> scales.put(tensor, scale));
        });
    List<Pair> pairs = new ArrayList<>();
    quantized.forEach(
        (tensor, reading) ->
            pairs.add(
                new Pair(
                    tensor,
                    Objects.requireNonNull(scales.get(tensor)),
                    writesCodes(tensor),
                    reading)));
    return pairs;
  }

  private boolean writesCodes(String tensor) {
    Operator writer = writers.get(tensor);
    return writer != null && writer.kernel().writesCodes() && integers.contains(writer);
  }

  private void share() {
    for (Operator operator : operators) {
      if (integers.contains(operator) && operator.kernel() == Kernel.MOVER) {
        String input = operator.inputs().get(0).tensor();
        operator.outputs().forEach(output -> join(output, input));
      }
    }
    for (Operator operator : operators) {
      if (integers.contains(operator) && operator.kernel() == Kernel.JOIN) {
        operator.inputs().stream()
            .map(Reader::tensor)
            .filter(tensor -> isReadBy(operator, tensor))
            .filter(tensor -> bounds(tensor).equals(bounds(operator.output())))
            .forEach(tensor -> join(tensor, operator.output()));
      }
    }
  }

  /**
   * Whether a tensor, and each that shares a scale with it, is read by one operator and by those
   * whose results share the scale too: for nobody else the scale would be coarser than it need be.
   */
  private boolean isReadBy(Operator only, String tensor) {
    String shared = first(tensor);
    for (Map.Entry<String, Set<Operator>> read : readers.entrySet()) {
      if (first(read.getKey()).equals(shared)
          && !read.getValue().stream()
              .allMatch(reader -> reader.equals(only) || isPart(reader, shared))) {
        return false;
      }
    }
    return true;
  }

  private boolean isPart(Operator operator, String shared) {
    boolean shares = operator.kernel() == Kernel.MOVER || operator.kernel() == Kernel.JOIN;
    return integers.contains(operator) && shares && first(operator.output()).equals(shared);
  }

  private void join(String tensor, String other) {
    String one = first(tensor);
    String two = first(other);
    if (!one.equals(two)) {
      shared.put(one, two);
    }
  }

  private String first(String tensor) {
    String first = tensor;
    for (String next = first; next != null; next = shared.get(next)) {
      first = next;
    }
    return first;
  }

  /** Moved values need not be observed again. */
  private Scale scale(List<String> tensors) {
    List<String> observed =
        tensors.stream().filter(tensor -> !isWrittenBy(Kernel.MOVER, tensor)).toList();
    List<String> ranges = observed.isEmpty() ? tensors : observed;
    boolean isUnit = ranges.stream().allMatch(this::isUnit);
    Bounds bounds = bounds(ranges.get(0));
    return new Scale(ranges, isUnit ? bounds.and(Bounds.UNIT) : bounds, isUnit);
  }

  private boolean isWrittenBy(Kernel kernel, String tensor) {
    Operator writer = writers.get(tensor);
    return writer != null && writer.kernel() == kernel && integers.contains(writer);
  }

  private boolean isUnit(String tensor) {
    Operator writer = writers.get(tensor);
    return writer != null && (writer.node().is("Sigmoid") || writer.node().is("Softmax"));
  }

  private Bounds bounds(String tensor) {
    return bounds.getOrDefault(tensor, Bounds.NONE);
  }

  /**
   * Finds what the codes of each tensor must not go beyond. Where an activation function is folded
   * into an operator, its bounds hold for the codes alone, so nothing with others may share them.
   */
  private void findBounds() {
    for (Operator operator : operators) {
      if (!integers.contains(operator)) {
        continue;
      }
      Bounds own = Bounds.NONE;
      if (operator.folded() != null) {
        own = Bounds.of(graph, operator.folded()).orElse(Bounds.NONE);
      } else if (operator.kernel() == Kernel.MOVER) {
        own = bounds(operator.inputs().get(0).tensor());
      } else if (operator.kernel() == Kernel.JOIN) {
        Set<Bounds> joined = new HashSet<>();
        operator.inputs().forEach(input -> joined.add(bounds(input.tensor())));
        own = joined.size() == 1 ? joined.iterator().next() : Bounds.NONE;
      }
      for (String output : operator.outputs()) {
        bounds.put(output, own);
      }
    }
  }
}
