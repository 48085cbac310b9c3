package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.LongBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Makes a ReduceMean over all axes behind the second, which keeps them with the size 1, the
 * GlobalAveragePool that it is by definition: of a value of shape [N, C, d1, …, dk] both are the
 * mean over d1 to dk, of shape [N, C, 1, …, 1]. There is an integer kernel for the latter alone.
 *
 * <p>A ReduceMean stays where the number of axes of its value is not known from the file or is not
 * 4 or 5 (with 3 it is rather part of a norm, and ONNX Runtime's pooling takes no more than 5),
 * where its axes are computed, where its values are not float32, and where the mean is subtracted
 * from its own input, as norms written as single operators do.
 */
final class MeanPooling {

  private static final int FIRST_SPATIAL = 2;

  /** ONNX Runtime averages over at most three spatial axes. */
  private static final int MOST_AXES = FIRST_SPATIAL + 3;

  private final ValueRanks ranks = new ValueRanks();
  private final Set<List<String>> differences;

  private MeanPooling(OnnxModel model) {
    this.differences =
        model.graph().all().stream()
            .flatMap(graph -> graph.nodes().stream())
            .filter(node -> node.is("Sub"))
            .map(node -> List.of(node.input(0), node.input(1)))
            .collect(Collectors.toSet());
  }

  /** Changes all graphs of a model. */
  static void apply(OnnxModel model) {
    MeanPooling pooling = new MeanPooling(model);
    for (Graph graph : model.graph().all()) {
      for (Node node : graph.nodes()) {
        if (node.is("ReduceMean") && pooling.isPooling(graph, node)) {
          node.setOpType("GlobalAveragePool");
          node.inputs().subList(1, node.inputs().size()).clear();
          node.removeAttribute("axes");
          node.removeAttribute("keepdims");
          node.removeAttribute("noop_with_empty_axes");
        }
      }
    }
  }

  private boolean isPooling(Graph graph, Node node) {
    OptionalInt rank = ranks.of(graph, node.input(0));
    if (node.intAttribute("keepdims", 1) != 1
        || rank.isEmpty()
        || rank.getAsInt() <= FIRST_SPATIAL + 1
        || rank.getAsInt() > MOST_AXES
        || isCentering(node)
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

  /** Whether the mean is subtracted from what it is the mean of, as written-out norms do. */
  private boolean isCentering(Node mean) {
    String value = mean.input(0);
    String result = mean.outputs().get(0);
    return differences.contains(List.of(value, result))
        || differences.contains(List.of(result, value));
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
}
