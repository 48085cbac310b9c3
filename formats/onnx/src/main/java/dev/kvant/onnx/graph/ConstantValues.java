package dev.kvant.onnx.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the values of a graph that are the same in every run, and describes them without computing
 * them: stored constants, and what the usual operators between a constant and the node that reads
 * it make of it. A value that other operators compute is found only if its tensor is known.
 *
 * @since 0.1.0
 */
public final class ConstantValues {

  /** Longer chains of operators are not followed. */
  private static final int LONGEST_CHAIN = 64;

  private static final Set<String> ELEMENTWISE =
      Set.of(
          "Abs",
          "Ceil",
          "Clip",
          "Cos",
          "Erf",
          "Exp",
          "Floor",
          "Log",
          "Neg",
          "Reciprocal",
          "Relu",
          "Round",
          "Sigmoid",
          "Sign",
          "Sin",
          "Softmax",
          "Sqrt",
          "Tanh",
          "Trilu");

  private static final Set<String> BROADCASTING =
      Set.of("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min");

  /** Other operators whose results are described by what their first input is. */
  private static final Set<String> RESHAPING =
      Set.of(
          "Identity",
          "Cast",
          "Transpose",
          "Reshape",
          "Flatten",
          "Squeeze",
          "Unsqueeze",
          "DequantizeLinear",
          "QuantizeLinear");

  /**
   * Tensors of values that operators compute.
   *
   * @since 0.1.0
   */
  @FunctionalInterface
  public interface Known {

    /** The tensor of a value of a graph, if it was computed. */
    Optional<StoredTensor> tensor(Graph graph, String value);
  }

  private final Known known;

  /** Values that are described by what is stored alone. */
  public ConstantValues() {
    this((graph, value) -> Optional.empty());
  }

  /** Values some of which were computed before. */
  public ConstantValues(Known known) {
    this.known = known;
  }

  /** A value as a graph sees it; empty if it is not known to be constant. */
  public Optional<ConstantValue> of(Graph graph, String value) {
    return find(graph, value, LONGEST_CHAIN);
  }

  private Optional<ConstantValue> find(Graph graph, String value, int length) {
    Optional<ConstantValue> stored = stored(graph, value);
    Graph home = stored.isPresent() || length == 0 ? null : graph.home(value);
    Node producer = home == null ? null : home.producer(value);
    if (home == null || producer == null || !producer.domain().isEmpty()) {
      return stored;
    }
    Optional<ConstantValue> described = described(home, producer, value, length - 1);
    return described.isPresent() ? described : computed(home, producer, value, length - 1);
  }

  private static Optional<ConstantValue> stored(Graph graph, String value) {
    for (Graph each = graph; each != null; each = each.parent()) {
      if (each.hasOwnConstant(value)) {
        String storage = each.place() + value;
        return each.constant(value)
            .flatMap(Initializer::tensor)
            .map(tensor -> new ConstantValue(value, tensor.type(), tensor.dims(), storage, false));
      }
    }
    return Optional.empty();
  }

  private Optional<ConstantValue> computed(Graph home, Node producer, String value, int length) {
    return known
        .tensor(home, value)
        .map(
            tensor ->
                new ConstantValue(
                    origin(home, producer, value, length),
                    tensor.type(),
                    tensor.dims(),
                    storage(home, value),
                    false));
  }

  /** The constant that most of a value is made of, or the value's own name. */
  private String origin(Graph home, Node producer, String value, int length) {
    return find(home, producer.input(0), length).map(ConstantValue::origin).orElse(value);
  }

  private static String storage(Graph home, String value) {
    return ConstantValue.COMPUTED + home.place() + value;
  }

  private Optional<ConstantValue> described(Graph home, Node node, String value, int length) {
    Optional<ConstantValue> first =
        isDescribed(node.opType()) ? find(home, node.input(0), length) : Optional.empty();
    if (first.isEmpty()) {
      return Optional.empty();
    }
    ConstantValue from = first.get();
    if (BROADCASTING.contains(node.opType())) {
      return find(home, node.input(1), length)
          .flatMap(second -> broadcast(from, second, storage(home, value)));
    }
    if (ELEMENTWISE.contains(node.opType())) {
      return Optional.of(made(from, from.type(), from.dims(), storage(home, value)));
    }
    return switch (node.opType()) {
      case "Identity" -> shaped(home, value, from, Optional.of(from.dims()));
      case "Cast" ->
          DataType.of((int) node.intAttribute("to", 0))
              .map(type -> made(from, type, from.dims(), storage(home, value)));
      case "Transpose" -> shaped(home, value, from, Shapes.transposed(from.dims(), node));
      case "Reshape" ->
          shaped(
              home,
              value,
              from,
              numbers(home, node.input(1))
                  .flatMap(
                      shape ->
                          Shapes.reshaped(from.dims(), shape, node.intAttribute("allowzero", 0))));
      case "Flatten" ->
          shaped(home, value, from, Shapes.flattened(from.dims(), node.intAttribute("axis", 1)));
      case "Squeeze" ->
          shaped(
              home,
              value,
              from,
              axes(home, node).flatMap(axes -> Shapes.squeezed(from.dims(), axes)));
      case "Unsqueeze" ->
          shaped(
              home,
              value,
              from,
              axes(home, node).flatMap(axes -> Shapes.unsqueezed(from.dims(), axes)));
      case "DequantizeLinear", "QuantizeLinear" -> codes(home, node, from);
      default -> Optional.empty();
    };
  }

  /** Nothing is searched before operators whose results would not be described anyway. */
  private static boolean isDescribed(String opType) {
    return ELEMENTWISE.contains(opType)
        || BROADCASTING.contains(opType)
        || RESHAPING.contains(opType);
  }

  private static ConstantValue made(
      ConstantValue from, DataType type, List<Long> dims, String storage) {
    return new ConstantValue(from.origin(), type, dims, storage, from.quantized());
  }

  private static Optional<ConstantValue> shaped(
      Graph home, String value, ConstantValue from, Optional<List<Long>> dims) {
    return dims.map(shape -> made(from, from.type(), shape, storage(home, value)));
  }

  private static Optional<ConstantValue> broadcast(
      ConstantValue one, ConstantValue other, String storage) {
    return Shapes.broadcast(one.dims(), other.dims())
        .map(
            dims ->
                new ConstantValue(
                    other.dims().equals(dims) && !one.dims().equals(dims)
                        ? other.origin()
                        : one.origin(),
                    one.type(),
                    dims,
                    storage,
                    one.quantized() || other.quantized()));
  }

  /** What is quantized and dequantized at once is described as its codes. */
  private Optional<ConstantValue> codes(Graph home, Node node, ConstantValue from) {
    if (node.is("DequantizeLinear") || from.quantized()) {
      return Optional.of(
          new ConstantValue(from.origin(), from.type(), from.dims(), from.storage(), true));
    }
    DataType type =
        find(home, node.input(2), 1)
            .map(ConstantValue::type)
            .or(() -> DataType.of((int) node.intAttribute("output_dtype", 0)))
            .orElse(DataType.UINT8);
    return Optional.of(new ConstantValue(from.origin(), type, from.dims(), from.storage(), true));
  }

  private Optional<List<Long>> axes(Graph home, Node node) {
    if (node.hasAttribute("axes")) {
      return Optional.of(node.intsAttribute("axes"));
    }
    return node.input(1).isEmpty() ? Optional.of(List.of()) : numbers(home, node.input(1));
  }

  /** The numbers of a short list that is stored. */
  private static Optional<List<Long>> numbers(Graph graph, String value) {
    return graph
        .constant(value)
        .flatMap(Initializer::tensor)
        .filter(
            tensor ->
                tensor.type() == DataType.INT64
                    && tensor.dims().size() == 1
                    && tensor.elements() <= Shapes.MOST_DIMENSIONS)
        .map(
            tensor -> {
              List<Long> numbers = new ArrayList<>();
              tensor
                  .content()
                  .forEachBlock(
                      (from, block) -> {
                        while (block.hasRemaining()) {
                          numbers.add(block.getLong());
                        }
                      });
              return numbers;
            });
  }
}
