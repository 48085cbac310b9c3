package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What it takes to compute an operator whose inputs are known, so that it is known before anything
 * is computed.
 *
 * @param bytes the most bytes that its outputs can have
 * @param work how many bytes are written and numbers multiplied
 */
record OperatorCost(long bytes, long work) {

  /** Operators that make much out of little. */
  private static final Set<String> EXPANDING =
      Set.of("ConstantOfShape", "Expand", "Tile", "Range", "EyeLike", "OneHot");

  private static final int MOST_DIMENSIONS = 64;

  /** How the number of elements that come out follows from the inputs. */
  private enum Rule {
    AS_FIRST,
    BROADCAST,
    SUM,
    SHAPE,
    NON_ZERO,
    GATHER,
    GATHER_ELEMENTS,
    GATHER_ND,
    MATRIX_PRODUCT,
    GEMM,
    EXPAND,
    TILE,
    RANGE,
    CONSTANT_OF_SHAPE,
    ONE_HOT,
    PAD
  }

  private static final Map<Rule, Set<String>> OPERATORS =
      Map.ofEntries(
          Map.entry(
              Rule.AS_FIRST,
              words(
                  """
                  Abs Acos Acosh ArgMax ArgMin Asin Asinh Atan Atanh BatchNormalization BitwiseNot Cast
                  CastLike Ceil Celu Clip Compress Cos Cosh CumSum DepthToSpace Elu Erf Exp EyeLike
                  Flatten Floor Gelu HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsInf
                  IsNaN LayerNormalization LeakyRelu Log LogSoftmax LpNormalization
                  MeanVarianceNormalization Mish Neg Not PRelu Reciprocal ReduceL1 ReduceL2
                  ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
                  ReduceSumSquare Relu Reshape ReverseSequence Round Scatter ScatterElements ScatterND
                  Selu Shrink Sigmoid Sign Sin Sinh Slice Softmax Softplus Softsign SpaceToDepth Split
                  Sqrt Squeeze Tan Tanh ThresholdedRelu TopK Transpose Trilu Unsqueeze
                  """)),
          Map.entry(
              Rule.BROADCAST,
              words(
                  """
                  Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual
                  Less LessOrEqual Max Mean Min Mod Mul Or Pow Sub Sum Where Xor
                  """)),
          Map.entry(Rule.SUM, Set.of("Concat")),
          Map.entry(Rule.SHAPE, Set.of("Shape", "Size")),
          Map.entry(Rule.NON_ZERO, Set.of("NonZero")),
          Map.entry(Rule.GATHER, Set.of("Gather")),
          Map.entry(Rule.GATHER_ELEMENTS, Set.of("GatherElements")),
          Map.entry(Rule.GATHER_ND, Set.of("GatherND")),
          Map.entry(Rule.MATRIX_PRODUCT, Set.of("MatMul")),
          Map.entry(Rule.GEMM, Set.of("Gemm")),
          Map.entry(Rule.EXPAND, Set.of("Expand")),
          Map.entry(Rule.TILE, Set.of("Tile")),
          Map.entry(Rule.RANGE, Set.of("Range")),
          Map.entry(Rule.CONSTANT_OF_SHAPE, Set.of("ConstantOfShape")),
          Map.entry(Rule.ONE_HOT, Set.of("OneHot")),
          Map.entry(Rule.PAD, Set.of("Pad")));

  private static Set<String> words(String text) {
    return Set.of(text.strip().split("\\s+"));
  }

  private static final Set<String> TRUTH =
      Set.of("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "IsInf", "IsNaN");

  private static final Set<String> POSITIONS = Set.of("ArgMax", "ArgMin", "Shape", "Size");

  /** Whether the cost of an operator can be told from its inputs. */
  static boolean isKnown(Node node) {
    return node.domain().isEmpty() && rule(node).isPresent();
  }

  /** Whether an operator makes much out of little, which is better made anew than stored. */
  static boolean isExpanding(Node node) {
    return EXPANDING.contains(node.opType());
  }

  private static Optional<Rule> rule(Node node) {
    return OPERATORS.entrySet().stream()
        .filter(entry -> entry.getValue().contains(node.opType()))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /**
   * The cost of an operator.
   *
   * @param inputs its inputs, null where one is left out
   * @return empty if it cannot be told, because there is no rule for it or the inputs do not fit
   */
  static Optional<OperatorCost> of(Node node, List<@Nullable StoredTensor> inputs) {
    Optional<Rule> rule = rule(node);
    if (rule.isEmpty() || inputs.isEmpty()) {
      return Optional.empty();
    }
    try {
      return new Calculation(node, inputs).cost(rule.get());
    } catch (ArithmeticException | IndexOutOfBoundsException doesNotFit) {
      return Optional.empty();
    }
  }

  /** The cost of one operator. Throws what its inputs do not fit. */
  private record Calculation(Node node, List<@Nullable StoredTensor> inputs) {

    Optional<OperatorCost> cost(Rule rule) {
      long elements = elements(rule);
      if (elements < 0) {
        return Optional.empty();
      }
      long bytes = Math.multiplyExact(elements, elementBytes());
      return Optional.of(
          new OperatorCost(bytes, Math.addExact(bytes, Math.multiplyExact(elements, depth(rule)))));
    }

    private StoredTensor input(int index) {
      StoredTensor tensor = index < inputs.size() ? inputs.get(index) : null;
      if (tensor == null) {
        throw new IndexOutOfBoundsException(index);
      }
      return tensor;
    }

    /** The most bytes that an element of the outputs has, all outputs together. */
    private long elementBytes() {
      String operator = node.opType();
      if (TRUTH.contains(operator)) {
        return 1;
      }
      if (POSITIONS.contains(operator) || operator.equals("NonZero")) {
        return Long.BYTES;
      }
      if (operator.equals("Cast") || operator.equals("EyeLike")) {
        return DataType.of((int) node.intAttribute(operator.equals("Cast") ? "to" : "dtype", 1))
            .map(type -> Math.max(1, type.bytes(1)))
            .orElse((long) Long.BYTES * 2);
      }
      int source =
          switch (operator) {
            case "CastLike", "Where" -> 1;
            case "OneHot" -> 2;
            default -> 0;
          };
      if (operator.equals("ConstantOfShape")) {
        return Long.BYTES;
      }
      long size = Math.max(1, input(source).type().bytes(1));
      return operator.equals("TopK") ? size + Long.BYTES : size;
    }

    /** How many numbers are multiplied for each element that comes out. */
    private long depth(Rule rule) {
      return switch (rule) {
        case MATRIX_PRODUCT -> Math.max(1, last(input(0).dims()));
        case GEMM -> Math.max(1, input(0).dims().get(node.intAttribute("transA", 0) == 0 ? 1 : 0));
        default -> 1;
      };
    }

    private static long last(List<Long> dims) {
      return dims.isEmpty() ? 1 : dims.get(dims.size() - 1);
    }

    private long elements(Rule rule) {
      return switch (rule) {
        case AS_FIRST -> input(0).elements();
        case BROADCAST -> product(broadcast(inputs.stream().map(this::dims).toList()));
        case SUM -> {
          long sum = 0;
          for (int i = 0; i < inputs.size(); i++) {
            sum = Math.addExact(sum, input(i).elements());
          }
          yield sum;
        }
        case SHAPE -> Math.max(1, input(0).dims().size());
        case NON_ZERO ->
            Math.multiplyExact(input(0).elements(), Math.max(1, input(0).dims().size()));
        case GATHER -> gathered();
        case GATHER_ELEMENTS -> input(1).elements();
        case GATHER_ND -> gatheredSlices();
        case MATRIX_PRODUCT -> matrixProduct(input(0).dims(), input(1).dims());
        case GEMM ->
            Math.multiplyExact(
                input(0).dims().get(node.intAttribute("transA", 0) == 0 ? 0 : 1),
                input(1).dims().get(node.intAttribute("transB", 0) == 0 ? 1 : 0));
        case EXPAND -> product(broadcast(List.of(input(0).dims(), numbers(input(1)))));
        case TILE -> Math.multiplyExact(input(0).elements(), product(numbers(input(1))));
        case RANGE -> range();
        case CONSTANT_OF_SHAPE -> product(numbers(input(0)));
        case ONE_HOT -> Math.multiplyExact(input(0).elements(), numbers(input(1)).get(0));
        case PAD -> padded();
      };
    }

    private List<Long> dims(@Nullable StoredTensor tensor) {
      return tensor == null ? List.of() : tensor.dims();
    }

    private long gathered() {
      List<Long> dims = input(0).dims();
      int axis = Math.floorMod((int) node.intAttribute("axis", 0), dims.size());
      List<Long> others = new ArrayList<>(dims);
      others.remove(axis);
      return Math.multiplyExact(product(others), input(1).elements());
    }

    private long gatheredSlices() {
      List<Long> dims = input(0).dims();
      long length = last(input(1).dims());
      int from = Math.toIntExact(node.intAttribute("batch_dims", 0) + length);
      return length == 0
          ? -1
          : Math.multiplyExact(
              input(1).elements() / length, product(dims.subList(from, dims.size())));
    }

    private static long matrixProduct(List<Long> left, List<Long> right) {
      List<Long> batches =
          broadcast(
              List.of(
                  left.subList(0, Math.max(0, left.size() - 2)),
                  right.subList(0, Math.max(0, right.size() - 2))));
      long rows = left.size() < 2 ? 1 : left.get(left.size() - 2);
      long columns = right.size() < 2 ? 1 : last(right);
      return Math.multiplyExact(product(batches), Math.multiplyExact(rows, columns));
    }

    private long range() {
      List<Double> ends = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        ends.add(number(input(i)));
      }
      double count = Math.ceil((ends.get(1) - ends.get(0)) / ends.get(2));
      return count >= 0 && count < Integer.MAX_VALUE ? (long) count : count < 0 ? 0 : -1;
    }

    private static double number(StoredTensor scalar) {
      ByteBuffer bytes = scalar.content().read(0, Math.toIntExact(scalar.content().bytes()));
      return switch (scalar.type()) {
        case FLOAT -> bytes.getFloat();
        case DOUBLE -> bytes.getDouble();
        case INT16 -> bytes.getShort();
        case INT32 -> bytes.getInt();
        case INT64 -> bytes.getLong();
        default -> Double.NaN;
      };
    }

    private long padded() {
      List<Long> dims = input(0).dims();
      List<Long> pads = node.hasAttribute("pads") ? node.intsAttribute("pads") : numbers(input(1));
      if (pads.size() != 2 * dims.size()) {
        return -1;
      }
      List<Long> padded = new ArrayList<>();
      for (int i = 0; i < dims.size(); i++) {
        padded.add(
            Math.max(0, Math.addExact(dims.get(i), pads.get(i) + pads.get(i + dims.size()))));
      }
      return product(padded);
    }

    /** The numbers of a list that says something about a shape. */
    private static List<Long> numbers(StoredTensor list) {
      boolean isShort = list.elements() <= MOST_DIMENSIONS;
      if (!isShort || (list.type() != DataType.INT64 && list.type() != DataType.INT32)) {
        throw new ArithmeticException("no list of dimensions");
      }
      boolean isLong = list.type() == DataType.INT64;
      ByteBuffer bytes = list.content().read(0, Math.toIntExact(list.content().bytes()));
      List<Long> numbers = new ArrayList<>();
      while (bytes.hasRemaining()) {
        numbers.add(isLong ? bytes.getLong() : bytes.getInt());
      }
      return numbers;
    }

    private static List<Long> broadcast(List<List<Long>> shapes) {
      int rank = shapes.stream().mapToInt(List::size).max().orElse(0);
      List<Long> result = new ArrayList<>();
      for (int i = 0; i < rank; i++) {
        long size = 1;
        for (List<Long> shape : shapes) {
          int at = i - rank + shape.size();
          if (at >= 0 && shape.get(at) != 1) {
            size = shape.get(at);
          }
        }
        result.add(size);
      }
      return result;
    }

    private static long product(List<Long> dims) {
      long product = 1;
      for (long dimension : dims) {
        if (dimension < 0) {
          return -1;
        }
        product = Math.multiplyExact(product, dimension);
      }
      return product;
    }
  }
}
