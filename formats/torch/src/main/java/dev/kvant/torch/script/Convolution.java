package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a convolution does with its weight, as the code's text says it.
 *
 * @param stride the distance between outputs, for each dimension of space
 * @param padding the zeros before and behind each dimension; empty for {@code same}, by which the
 *     output has the input's size
 * @param dilation the distance between the inputs of one output, for each dimension
 * @param groups the number of groups of channels
 * @since 0.1.0
 */
public record Convolution(List<Long> stride, List<Long> padding, List<Long> dilation, long groups) {

  public Convolution {
    stride = List.copyOf(stride);
    padding = List.copyOf(padding);
    dilation = List.copyOf(dilation);
    boolean isSame = padding.isEmpty();
    if (stride.isEmpty()
        || dilation.size() != stride.size()
        || !(isSame || padding.size() == stride.size())) {
      throw new IllegalArgumentException(
          "stride %s, padding %s and dilation %s have different sizes"
              .formatted(stride, padding, dilation));
    }
  }

  /** The number of dimensions of space. */
  public int dimensions() {
    return stride.size();
  }

  /**
   * The zeros before and behind each dimension; empty if {@code same} needs more of them on one
   * side, as it does where the kernel's extent is even.
   *
   * @param shape the weight's: outputs, inputs of a group, extents
   */
  public Optional<List<Long>> zeros(List<Long> shape) {
    if (!padding.isEmpty()) {
      return Optional.of(padding);
    }
    List<Long> zeros = new ArrayList<>();
    for (int i = 0; i < dimensions(); i++) {
      long all = dilation.get(i) * (shape.get(i + 2) - 1);
      if (all % 2 != 0) {
        return Optional.empty();
      }
      zeros.add(all / 2);
    }
    return Optional.of(zeros);
  }

  /**
   * Reads a call.
   *
   * @param function what is called, as in {@code torch.conv2d}
   * @param arguments the arguments as they are written: input, weight, bias and so on
   * @return empty if the call is no convolution, or is given anything that is not written out
   */
  static Optional<Convolution> parse(String function, List<String> arguments) {
    Objects.requireNonNull(function, "function");
    return switch (function) {
      case "torch.conv1d" -> named(arguments, 1);
      case "torch.conv2d" -> named(arguments, 2);
      case "torch.conv3d" -> named(arguments, 3);
      case "torch._convolution" -> traced(arguments);
      case "torch._convolution_mode" ->
          arguments.size() == 7
              ? of(arguments.get(3), arguments.get(4), arguments.get(5), arguments.get(6))
              : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Optional<Convolution> named(List<String> arguments, int dimensions) {
    if (arguments.size() > 7) {
      return Optional.empty();
    }
    String ones = Collections.nCopies(dimensions, "1").toString();
    String zeros = Collections.nCopies(dimensions, "0").toString();
    return of(
            argument(arguments, 3, ones),
            argument(arguments, 4, zeros),
            argument(arguments, 5, ones),
            argument(arguments, 6, "1"))
        .filter(convolution -> convolution.dimensions() == dimensions);
  }

  private static Optional<Convolution> traced(List<String> arguments) {
    boolean isTransposed = arguments.size() < 9 || !arguments.get(6).equals("False");
    return isTransposed
        ? Optional.empty()
        : of(arguments.get(3), arguments.get(4), arguments.get(5), arguments.get(8));
  }

  private static String argument(List<String> arguments, int index, String unless) {
    return index < arguments.size() ? arguments.get(index) : unless;
  }

  private static Optional<Convolution> of(
      String stride, String padding, String dilation, String groups) {
    Optional<List<Long>> strides = numbers(stride);
    Optional<List<Long>> dilations = numbers(dilation);
    if (strides.isEmpty() || dilations.isEmpty() || !groups.matches("\\d{1,9}")) {
      return Optional.empty();
    }
    Optional<List<Long>> zeros =
        switch (padding) {
          case "\"same\"" -> Optional.of(List.of());
          case "\"valid\"" -> Optional.of(Collections.nCopies(strides.get().size(), 0L));
          default -> numbers(padding);
        };
    if (zeros.isEmpty()
        || strides.get().isEmpty()
        || dilations.get().size() != strides.get().size()
        || (zeros.get().size() != strides.get().size() && !padding.equals("\"same\""))) {
      return Optional.empty();
    }
    return Optional.of(
        new Convolution(strides.get(), zeros.get(), dilations.get(), Long.parseLong(groups)));
  }

  /** The numbers of a list that is written out. */
  private static Optional<List<Long>> numbers(String list) {
    if (!list.matches("\\[\\d{1,9}(, ?\\d{1,9})*\\]")) {
      return Optional.empty();
    }
    List<Long> numbers = new ArrayList<>();
    for (String number : list.substring(1, list.length() - 1).split(", ?", -1)) {
      numbers.add(Long.parseLong(number));
    }
    return Optional.of(numbers);
  }
}
