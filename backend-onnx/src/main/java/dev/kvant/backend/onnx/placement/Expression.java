package dev.kvant.backend.onnx.placement;

import dev.kvant.onnx.graph.Node;
import java.util.List;
import java.util.Optional;

/**
 * A function of one number, as nodes of a graph compute it.
 *
 * @since 0.1.0
 */
public sealed interface Expression {

  /** The number itself. */
  Expression INPUT = new Input();

  /** What becomes of a number. */
  double at(double x);

  /** The number itself. */
  record Input() implements Expression {
    @Override
    public double at(double x) {
      return x;
    }
  }

  /**
   * A constant.
   *
   * @param value its value
   */
  record Constant(float value) implements Expression {

    /** An operand that is left out. */
    static final Constant MISSING = new Constant(Float.NaN);

    boolean isGiven() {
      return !Float.isNaN(value);
    }

    @Override
    public double at(double x) {
      return value;
    }
  }

  /**
   * An operator of one operand.
   *
   * @param operator its name
   * @param first its first parameter, or 0
   * @param second its second parameter, or 0
   * @param operand the operand
   */
  record Unary(String operator, double first, double second, Expression operand)
      implements Expression {
    @Override
    public double at(double x) {
      double value = operand.at(x);
      return switch (operator) {
        case "Relu" -> Math.max(0, value);
        case "Clip" -> Math.max(first, Math.min(second, value));
        case "LeakyRelu" -> value < 0 ? first * value : value;
        case "Sigmoid" -> sigmoid(value);
        case "HardSigmoid" -> Math.max(0, Math.min(1, first * value + second));
        case "HardSwish" -> value * Math.max(0, Math.min(1, value / 6 + 0.5));
        case "Tanh" -> StrictMath.tanh(value);
        case "Erf" -> erf(value);
        case "Gelu" -> value * 0.5 * (1 + erf(value * Math.sqrt(0.5)));
        default -> throw new IllegalStateException(operator);
      };
    }
  }

  /**
   * An operator of two operands.
   *
   * @param operator its name
   * @param left the first one
   * @param right the second one
   */
  record Binary(String operator, Expression left, Expression right) implements Expression {
    @Override
    public double at(double x) {
      double one = left.at(x);
      double other = right.at(x);
      return switch (operator) {
        case "Add" -> one + other;
        case "Sub" -> one - other;
        case "Mul" -> one * other;
        case "Div" -> one / other;
        default -> throw new IllegalStateException(operator);
      };
    }
  }

  /** What a node makes of operands; empty if it is none of the functions that are known. */
  static Optional<Expression> of(Node node, List<Expression> operands) {
    String operator = node.opType();
    Expression first = operands.get(0);
    return switch (operator) {
      case "Relu", "Sigmoid", "HardSwish", "Tanh", "Erf" ->
          Optional.of(new Unary(operator, 0, 0, first));
      case "Gelu" ->
          node.stringAttribute("approximate", "none").equals("none")
              ? Optional.of(new Unary(operator, 0, 0, first))
              : Optional.empty();
      case "LeakyRelu" ->
          Optional.of(new Unary(operator, node.floatAttribute("alpha", 0.01f), 0, first));
      case "HardSigmoid" ->
          Optional.of(
              new Unary(
                  operator,
                  node.floatAttribute("alpha", 0.2f),
                  node.floatAttribute("beta", 0.5f),
                  first));
      case "Clip" -> clip(node, operands);
      case "Add", "Sub", "Mul" -> Optional.of(new Binary(operator, first, operands.get(1)));
      // A quotient of the value would have a pole.
      case "Div" ->
          operands.get(1) instanceof Constant divisor && divisor.value() != 0
              ? Optional.of(new Binary(operator, first, divisor))
              : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Optional<Expression> clip(Node node, List<Expression> operands) {
    double min = node.floatAttribute("min", Float.NEGATIVE_INFINITY);
    double max = node.floatAttribute("max", Float.POSITIVE_INFINITY);
    if (operands.size() > 1 && operands.get(1) instanceof Constant end && end.isGiven()) {
      min = end.value();
    }
    if (operands.size() > 2 && operands.get(2) instanceof Constant end && end.isGiven()) {
      max = end.value();
    }
    return min <= max
        ? Optional.of(new Unary("Clip", min, max, operands.get(0)))
        : Optional.empty();
  }

  private static double sigmoid(double x) {
    return 1 / (1 + StrictMath.exp(-x));
  }

  /**
   * The error function, to 1.2e-7: formula of W. H. Press and others, Numerical Recipes in C,
   * second edition, section 6.2.
   */
  private static double erf(double x) {
    double t = 1 / (1 + 0.5 * Math.abs(x));
    double polynomial =
        -1.26551223
            + t
                * (1.00002368
                    + t
                        * (0.37409196
                            + t
                                * (0.09678418
                                    + t
                                        * (-0.18628806
                                            + t
                                                * (0.27886807
                                                    + t
                                                        * (-1.13520398
                                                            + t
                                                                * (1.48851587
                                                                    + t
                                                                        * (-0.82215223
                                                                            + t
                                                                                * 0.17087277))))))));
    double tail = t * StrictMath.exp(-x * x + polynomial);
    return x >= 0 ? 1 - tail : tail - 1;
  }
}
