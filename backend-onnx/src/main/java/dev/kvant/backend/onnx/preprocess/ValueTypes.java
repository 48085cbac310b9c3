package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.StoredTensor;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The element types of values, from what a file declares and from what computes them. */
final class ValueTypes {

  private static final Set<String> INTEGERS =
      Set.of("Shape", "Size", "ArgMax", "ArgMin", "NonZero", "NonMaxSuppression");

  private static final Set<String> TRUTHS =
      Set.of("And", "Equal", "Greater", "IsInf", "IsNaN", "Less", "Not", "Or", "Xor");

  private ValueTypes() {}

  /** The type of a value that a graph reads; empty where neither file nor operators tell it. */
  static Optional<DataType> of(Graph graph, String name) {
    Graph home = graph.home(name);
    if (home == null) {
      return constant(graph, name);
    }
    Optional<DataType> declared =
        Stream.of(home.inputs(), home.valueInfos(), home.outputs())
            .flatMap(List::stream)
            .filter(value -> value.getName().equals(name))
            .flatMap(value -> declared(value).stream())
            .findFirst();
    if (declared.isPresent()) {
      return declared;
    }
    Node producer = home.producer(name);
    return producer == null ? constant(home, name) : of(home, producer);
  }

  private static Optional<DataType> constant(Graph graph, String name) {
    return graph.constant(name).flatMap(Initializer::tensor).map(StoredTensor::type);
  }

  private static Optional<DataType> declared(ValueInfoProto value) {
    return DataType.of(value.getType().getTensorType().getElemType());
  }

  private static Optional<DataType> of(Graph graph, Node node) {
    int typed =
        switch (node.opType()) {
          case "Where" -> 1;
          case "OneHot" -> 2;
          default -> 0;
        };
    if (INTEGERS.contains(node.opType())) {
      return Optional.of(DataType.INT64);
    }
    if (TRUTHS.contains(node.opType())) {
      return Optional.of(DataType.BOOL);
    }
    if (node.hasAttribute("to")) {
      return DataType.of((int) node.intAttribute("to", 0));
    }
    boolean isUntyped =
        !node.domain().isEmpty() || node.input(typed).isEmpty() || !node.subgraphs().isEmpty();
    if (isUntyped || node.is("ConstantOfShape") || node.is("EyeLike")) {
      return constant(graph, node.outputs().get(0));
    }
    return of(graph, node.input(typed));
  }
}
