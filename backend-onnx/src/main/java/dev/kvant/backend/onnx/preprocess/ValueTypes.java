package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.StoredTensor;
import java.util.HashSet;
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
    Graph reader = graph;
    String value = name;
    Set<Node> passed = new HashSet<>();
    while (true) {
      Graph home = reader.home(value);
      if (home == null) {
        return constant(reader, value);
      }
      Optional<DataType> declared = declared(home, value);
      Node producer = home.producer(value);
      if (declared.isPresent()) {
        return declared;
      }
      if (producer == null) {
        return constant(home, value);
      }
      Optional<DataType> written = written(producer);
      if (written.isPresent() || isUntyped(producer) || !passed.add(producer)) {
        return written.or(() -> constant(home, producer.outputs().get(0)));
      }
      reader = home;
      value = producer.input(typed(producer));
    }
  }

  private static Optional<DataType> constant(Graph graph, String name) {
    return graph.constant(name).flatMap(Initializer::tensor).map(StoredTensor::type);
  }

  private static Optional<DataType> declared(Graph home, String name) {
    return Stream.of(home.inputs(), home.valueInfos(), home.outputs())
        .flatMap(List::stream)
        .filter(value -> value.getName().equals(name))
        .flatMap(value -> DataType.of(value.getType().getTensorType().getElemType()).stream())
        .findFirst();
  }

  /** The type that an operator writes whatever it reads. */
  private static Optional<DataType> written(Node node) {
    if (INTEGERS.contains(node.opType())) {
      return Optional.of(DataType.INT64);
    }
    if (TRUTHS.contains(node.opType())) {
      return Optional.of(DataType.BOOL);
    }
    return node.hasAttribute("to")
        ? DataType.of((int) node.intAttribute("to", 0))
        : Optional.empty();
  }

  /** Whether no input tells the type of the output. */
  private static boolean isUntyped(Node node) {
    return node.hasAttribute("to")
        || !node.domain().isEmpty()
        || node.input(typed(node)).isEmpty()
        || !node.subgraphs().isEmpty()
        || node.is("ConstantOfShape")
        || node.is("EyeLike");
  }

  /** The input that has the type of the output. */
  private static int typed(Node node) {
    return switch (node.opType()) {
      case "Where" -> 1;
      case "OneHot" -> 2;
      default -> 0;
    };
  }
}
