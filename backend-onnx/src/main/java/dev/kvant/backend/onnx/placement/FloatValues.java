package dev.kvant.backend.onnx.placement;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which values of a graph are float32, as far as that follows from what the file declares and from
 * operators whose result has the type of what they read. Shapes and indices are not among them.
 */
final class FloatValues {

  /** Operators whose results have the type of their first input. */
  private static final Set<String> KEEP_TYPE =
      Set.of(
          "Abs",
          "Add",
          "AveragePool",
          "BatchNormalization",
          "Ceil",
          "Celu",
          "Clip",
          "Concat",
          "Conv",
          "ConvTranspose",
          "DepthToSpace",
          "Div",
          "Dropout",
          "Elu",
          "Erf",
          "Exp",
          "Expand",
          "Flatten",
          "Floor",
          "Gather",
          "GatherElements",
          "GatherND",
          "Gelu",
          "Gemm",
          "GlobalAveragePool",
          "GlobalMaxPool",
          "HardSigmoid",
          "HardSwish",
          "Identity",
          "InstanceNormalization",
          "LayerNormalization",
          "LeakyRelu",
          "Log",
          "LogSoftmax",
          "MatMul",
          "Max",
          "MaxPool",
          "Mean",
          "Min",
          "Mish",
          "Mul",
          "Neg",
          "PRelu",
          "Pad",
          "Pow",
          "Reciprocal",
          "ReduceL2",
          "ReduceMax",
          "ReduceMean",
          "ReduceMin",
          "ReduceSum",
          "Relu",
          "Reshape",
          "Resize",
          "ScatterND",
          "Selu",
          "Sigmoid",
          "Sign",
          "Slice",
          "Softmax",
          "Softplus",
          "SpaceToDepth",
          "Split",
          "Sqrt",
          "Squeeze",
          "Sub",
          "Sum",
          "Tanh",
          "Tile",
          "Transpose",
          "Unsqueeze",
          "Upsample");

  /** Operators among these whose further results are indices or a mask. */
  private static final Set<String> FIRST_ALONE = Set.of("MaxPool", "Dropout");

  private final Graph graph;
  private final Set<String> floats = new HashSet<>();

  private FloatValues(Graph graph) {
    this.graph = graph;
  }

  static FloatValues of(Graph graph, Map<Node, Product> products) {
    FloatValues values = new FloatValues(graph);
    List.of(graph.inputs(), graph.outputs(), graph.valueInfos())
        .forEach(
            declared ->
                declared.stream()
                    .filter(FloatValues::isFloat)
                    .map(ValueInfoProto::getName)
                    .forEach(values.floats::add));
    for (Node node : graph.nodes()) {
      Product product = products.get(node);
      if (product != null && product.isInteger()) {
        values.floats.addAll(node.outputs());
        values.floats.add(node.input(product.input()));
      } else if (node.domain().isEmpty() && KEEP_TYPE.contains(node.opType())) {
        if (values.contains(node.input(0)) || values.isFloatConstant(node.input(0))) {
          values.floats.addAll(ofType(node));
        }
      } else if (node.is("Where") && values.contains(node.input(1))) {
        values.floats.addAll(node.outputs());
      }
    }
    return values;
  }

  /** The results of an operator that have the type of its first input. */
  private static List<String> ofType(Node node) {
    return FIRST_ALONE.contains(node.opType()) ? node.outputs().subList(0, 1) : node.outputs();
  }

  private static boolean isFloat(ValueInfoProto value) {
    return value.getType().getTensorType().getElemType() == DataType.FLOAT.number();
  }

  private boolean isFloatConstant(String name) {
    return graph
        .constant(name)
        .flatMap(Initializer::tensor)
        .filter(tensor -> tensor.type() == DataType.FLOAT)
        .isPresent();
  }

  /** Whether a value is known to be float32 and not constant. */
  boolean contains(String name) {
    return floats.contains(name) && Optional.ofNullable(name).flatMap(graph::constant).isEmpty();
  }
}
