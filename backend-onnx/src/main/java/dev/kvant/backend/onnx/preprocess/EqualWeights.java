package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.Content;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.OnnxModules;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Has nodes whose weights are equal byte by byte read one of them. Exporters that know no shared
 * tensors write a copy for each module that has one.
 */
final class EqualWeights {

  /** Copies of less are not looked for. */
  private static final long LEAST_BYTES = 1024;

  private static final int PREFIX_BYTES = 1024;

  /** What equal weights have in common, and few others. */
  private record Look(DataType type, List<Long> dims, ByteBuffer prefix) {}

  private final Graph root;
  private final Map<Look, List<StoredTensor>> different = new HashMap<>();
  private final Map<String, String> originals = new HashMap<>();

  private EqualWeights(OnnxModel model) {
    this.root = model.graph();
  }

  /** Redirects all readers of copies. The copies stay in the graph, unread. */
  static void apply(OnnxModel model) {
    var weights = new EqualWeights(model);
    for (Graph graph : model.graph().all()) {
      for (Node node : graph.nodes()) {
        for (int input : OnnxModules.weightInputs(node)) {
          weights
              .shared(graph, node.input(input))
              .ifPresent(original -> node.inputs().set(input, original));
        }
      }
    }
  }

  /** The weight to read in place of that one. */
  private Optional<String> shared(Graph graph, String name) {
    Initializer initializer = root.initializers().get(name);
    if (initializer == null) {
      return Optional.empty();
    }
    return initializer
        .tensor()
        .filter(tensor -> tensor.type().floatType().isPresent())
        .filter(tensor -> tensor.content().bytes() >= LEAST_BYTES)
        .filter(tensor -> graph.home(name) == root)
        .map(tensor -> originals.computeIfAbsent(name, key -> original(tensor)));
  }

  private String original(StoredTensor tensor) {
    List<StoredTensor> alike =
        different.computeIfAbsent(
            new Look(tensor.type(), tensor.dims(), tensor.content().read(0, PREFIX_BYTES)),
            key -> new ArrayList<>());
    for (StoredTensor other : alike) {
      if (areEqual(tensor.content(), other.content())) {
        return other.name();
      }
    }
    alike.add(tensor);
    return tensor.name();
  }

  private static boolean areEqual(Content one, Content other) {
    for (long from = 0; from < one.bytes(); from += Content.BLOCK_BYTES) {
      int length = (int) Math.min(Content.BLOCK_BYTES, one.bytes() - from);
      if (!one.read(from, length).equals(other.read(from, length))) {
        return false;
      }
    }
    return true;
  }
}
