package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How many axes the values of a model have, from what the file declares and from what computes
 * them. Each value is looked at once, and long chains of operators need no deep stack.
 */
final class ValueRanks {

  /** Operators whose result has as many axes as the input with the most. */
  private static final Set<String> KEEP_AXES =
      Set.of(
          "Add",
          "AveragePool",
          "BatchNormalization",
          "Clip",
          "Concat",
          "Div",
          "Elu",
          "HardSigmoid",
          "HardSwish",
          "LeakyRelu",
          "MaxPool",
          "Mul",
          "Pad",
          "Relu",
          "Resize",
          "Sigmoid",
          "Sub",
          "Tanh");

  private static final Set<String> CONVOLUTIONS = Set.of("Conv", "ConvTranspose");

  private static final Set<String> BROADCAST = Set.of("Add", "Div", "Mul", "Sub");

  private record Value(Graph home, String name) {}

  private final Map<Value, OptionalInt> known = new HashMap<>();
  private final Map<Graph, Map<String, Integer>> declared = new HashMap<>();

  /** How many axes a value has; empty where neither file nor operators tell it. */
  OptionalInt of(Graph graph, String name) {
    Value wanted = value(graph, name);
    Set<Value> begun = new HashSet<>();
    Deque<Value> open = new ArrayDeque<>();
    open.push(wanted);
    while (!open.isEmpty()) {
      Value value = open.element();
      if (!known.containsKey(value) && begun.add(value)) {
        operands(value).stream().filter(operand -> !begun.contains(operand)).forEach(open::push);
      } else {
        open.pop();
        if (!known.containsKey(value)) {
          known.put(value, rank(value));
        }
      }
    }
    return known.getOrDefault(wanted, OptionalInt.empty());
  }

  private static Value value(Graph graph, String name) {
    Graph home = graph.home(name);
    return new Value(home == null ? graph : home, name);
  }

  /** The values whose numbers of axes decide that of a value. */
  private List<Value> operands(Value value) {
    Node producer = value.home().producer(value.name());
    if (declared(value) != null
        || producer == null
        || !producer.domain().isEmpty()
        || !(CONVOLUTIONS.contains(producer.opType()) || KEEP_AXES.contains(producer.opType()))) {
      return List.of();
    }
    if (CONVOLUTIONS.contains(producer.opType())) {
      return List.of(value(value.home(), producer.input(1)));
    }
    int operands = BROADCAST.contains(producer.opType()) ? 2 : 1;
    return Stream.of(0, 1)
        .limit(operands)
        .map(i -> value(value.home(), producer.input(i)))
        .toList();
  }

  private OptionalInt rank(Value value) {
    Integer axes = declared(value);
    if (axes != null) {
      return OptionalInt.of(axes);
    }
    List<OptionalInt> ranks =
        operands(value).stream()
            .map(operand -> known.getOrDefault(operand, OptionalInt.empty()))
            .toList();
    if (ranks.isEmpty()) {
      return constant(value);
    }
    return ranks.stream().allMatch(OptionalInt::isPresent)
        ? ranks.stream().mapToInt(OptionalInt::getAsInt).max()
        : OptionalInt.empty();
  }

  private @Nullable Integer declared(Value value) {
    return declared.computeIfAbsent(value.home(), ValueRanks::declarations).get(value.name());
  }

  private static Map<String, Integer> declarations(Graph graph) {
    Map<String, Integer> ranks = new HashMap<>();
    Stream.of(graph.inputs(), graph.valueInfos(), graph.outputs())
        .flatMap(List::stream)
        .filter(value -> value.getType().getTensorType().hasShape())
        .forEach(value -> ranks.putIfAbsent(value.getName(), axes(value)));
    return ranks;
  }

  private static int axes(ValueInfoProto value) {
    return value.getType().getTensorType().getShape().getDimCount();
  }

  private static OptionalInt constant(Value value) {
    return value
        .home()
        .constant(value.name())
        .flatMap(Initializer::tensor)
        .map(tensor -> OptionalInt.of(tensor.dims().size()))
        .orElse(OptionalInt.empty());
  }
}
