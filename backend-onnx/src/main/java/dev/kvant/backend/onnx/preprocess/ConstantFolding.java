package dev.kvant.backend.onnx.preprocess;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Tensor;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import dev.kvant.onnx.runtime.RuntimeSession;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Computes what depends on constants alone, so that weights which are transposed or otherwise made
 * in the graph become constants themselves. ONNX Runtime does the computing, the graph of constants
 * being a small model of its own.
 *
 * @since 0.1.0
 */
public final class ConstantFolding {

  private static final Set<String> LEFT_ALONE =
      Set.of(
          "Constant",
          "QuantizeLinear",
          "DequantizeLinear",
          "DynamicQuantizeLinear",
          "RandomNormal",
          "RandomNormalLike",
          "RandomUniform",
          "RandomUniformLike",
          "Multinomial",
          "Bernoulli",
          "Dropout");

  /** Operators that make much out of little, which is better made anew than stored. */
  private static final Set<String> EXPANDING =
      Set.of("ConstantOfShape", "Expand", "Tile", "Range", "EyeLike", "OneHot");

  private ConstantFolding() {}

  /** Folds all that can be in the model's own graph. */
  public static void apply(OnnxModel model) {
    Graph graph = model.graph();
    List<Node> folded = new ArrayList<>();
    Set<String> known = new HashSet<>();
    for (Node node : graph.nodes()) {
      if (isFoldable(graph, node, known)) {
        folded.add(node);
        known.addAll(node.outputs());
      }
    }
    Set<String> results = results(graph, folded, known);
    if (results.isEmpty()) {
      return;
    }
    List<StoredTensor> tensors = new ArrayList<>();
    try (RuntimeSession session =
        RuntimeSession.openUnoptimized(model.constants(folded, results))) {
      session.run((name, tensor) -> tensors.add(stored(name, tensor)));
    } catch (ModelFormatException unknownOperator) {
      // What ONNX Runtime cannot compute alone it may still compute as a part of the whole.
      return;
    }
    folded.forEach(graph::removeNode);
    tensors.forEach(tensor -> graph.initializers().put(tensor.name(), Initializer.of(tensor)));
    UnusedConstants.remove(model);
  }

  private static StoredTensor stored(String name, Tensor tensor) {
    return StoredTensor.of(name, DataType.of(tensor.elementType()), tensor.shape(), tensor.data());
  }

  private static boolean isFoldable(Graph graph, Node node, Set<String> known) {
    return node.domain().isEmpty()
        && !LEFT_ALONE.contains(node.opType())
        && !EXPANDING.contains(node.opType())
        && node.subgraphs().isEmpty()
        && !node.inputs().isEmpty()
        && node.inputs().stream()
            .allMatch(
                input ->
                    input.isEmpty()
                        || known.contains(input)
                        || graph.constant(input).flatMap(Initializer::tensor).isPresent());
  }

  /** What others read of the folded nodes' outputs. */
  private static Set<String> results(Graph graph, List<Node> folded, Set<String> known) {
    Set<String> results = new LinkedHashSet<>();
    for (Graph each : graph.all()) {
      for (Node node : each.nodes()) {
        if (!folded.contains(node)) {
          node.inputs().stream().filter(known::contains).forEach(results::add);
        }
      }
      each.outputs().stream()
          .map(output -> output.getName())
          .filter(known::contains)
          .forEach(results::add);
    }
    return results;
  }
}
