package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.nio.LongBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Makes a ReduceMean over all axes behind the second, which keeps them with the size 1, the
 * GlobalAveragePool that it is by definition: of a value of shape [N, C, d1, …, dk] both are the
 * mean over d1 to dk, of shape [N, C, 1, …, 1]. There is an integer kernel for the latter alone.
 *
 * <p>A ReduceMean stays where the number of its axes is not known from the file, where they are
 * computed, and where its values are not float32.
 */
final class MeanPooling {

  private static final int FIRST_SPATIAL = 2;

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

  private MeanPooling() {}

  /** Changes all graphs of a model. */
  static void apply(OnnxModel model) {
    for (Graph graph : model.graph().all()) {
      for (Node node : graph.nodes()) {
        if (node.is("ReduceMean") && isPooling(graph, node)) {
          node.setOpType("GlobalAveragePool");
          node.inputs().subList(1, node.inputs().size()).clear();
          node.removeAttribute("axes");
          node.removeAttribute("keepdims");
          node.removeAttribute("noop_with_empty_axes");
        }
      }
    }
  }

  private static boolean isPooling(Graph graph, Node node) {
    OptionalInt rank = rank(graph, node.input(0));
    if (node.intAttribute("keepdims", 1) != 1
        || rank.isEmpty()
        || rank.getAsInt() <= FIRST_SPATIAL
        || !ValueTypes.of(graph, node.input(0)).equals(Optional.of(DataType.FLOAT))) {
      return false;
    }
    int axes = rank.getAsInt();
    Set<Integer> spatial = new TreeSet<>(IntStream.range(FIRST_SPATIAL, axes).boxed().toList());
    return axes(graph, node)
        .map(found -> found.stream().map(axis -> (int) (axis < 0 ? axis + axes : axis)).toList())
        .filter(found -> found.size() == spatial.size() && spatial.containsAll(found))
        .isPresent();
  }

  /** The axes that a node names as an attribute, or from opset 18 on as a constant input. */
  private static Optional<List<Long>> axes(Graph graph, Node node) {
    if (node.hasAttribute("axes")) {
      return Optional.of(node.intsAttribute("axes"));
    }
    return graph.constant(node.input(1)).flatMap(Initializer::tensor).map(MeanPooling::integers);
  }

  private static List<Long> integers(StoredTensor tensor) {
    LongBuffer values =
        tensor.content().read(0, Math.toIntExact(tensor.elements() * Long.BYTES)).asLongBuffer();
    return Stream.generate(values::get).limit(values.remaining()).toList();
  }

  /** How many axes a value has; empty where neither file nor operators tell it. */
  private static OptionalInt rank(Graph graph, String name) {
    Graph home = graph.home(name);
    if (home == null) {
      return constant(graph, name);
    }
    Optional<ValueInfoProto> declared =
        Stream.of(home.inputs(), home.valueInfos(), home.outputs())
            .flatMap(List::stream)
            .filter(value -> value.getName().equals(name))
            .filter(value -> value.getType().getTensorType().hasShape())
            .findFirst();
    if (declared.isPresent()) {
      return OptionalInt.of(declared.get().getType().getTensorType().getShape().getDimCount());
    }
    Node producer = home.producer(name);
    if (producer == null) {
      return constant(home, name);
    }
    if (!producer.domain().isEmpty()) {
      return OptionalInt.empty();
    }
    if (CONVOLUTIONS.contains(producer.opType())) {
      return constant(home, producer.input(1));
    }
    if (!KEEP_AXES.contains(producer.opType())) {
      return OptionalInt.empty();
    }
    if (!BROADCAST.contains(producer.opType())) {
      return rank(home, producer.input(0));
    }
    OptionalInt left = rank(home, producer.input(0));
    OptionalInt right = rank(home, producer.input(1));
    return left.isEmpty() || right.isEmpty()
        ? OptionalInt.empty()
        : OptionalInt.of(Math.max(left.getAsInt(), right.getAsInt()));
  }

  private static OptionalInt constant(Graph graph, String name) {
    return graph
        .constant(name)
        .flatMap(Initializer::tensor)
        .map(tensor -> OptionalInt.of(tensor.dims().size()))
        .orElse(OptionalInt.empty());
  }
}
