package dev.kvant.onnx.graph;

import java.util.List;

/** The inputs of operators that hold weights. */
final class WeightInputs {

  private WeightInputs() {}

  /**
   * The inputs that may hold a weight which can be quantized: all of them for recurrent operators,
   * for others the first that is constant.
   */
  static List<Integer> of(Node node) {
    if (!node.domain().isEmpty()) {
      return List.of();
    }
    return switch (node.opType()) {
      case "Conv", "ConvTranspose" -> List.of(1);
      case "Gemm", "MatMul" -> List.of(1, 0);
      // Only along the first axis whole rows are looked up.
      case "Gather" -> node.intAttribute("axis", 0) == 0 ? List.of(0) : List.of();
      case "LSTM", "GRU", "RNN" -> List.of(1, 2);
      default -> List.of();
    };
  }

  /** Whether an operator reads weights at several inputs. */
  static boolean isRecurrent(Node node) {
    return node.is("LSTM") || node.is("GRU") || node.is("RNN");
  }

  /** Whether a constant is large enough to be a weight: a vector is no table of rows. */
  static boolean fits(Node node, int rank) {
    return rank >= (node.is("Gather") ? 2 : 1);
  }

  /** The axis of a weight along which output channels differ, or -1 if it has none. */
  static int channelAxis(Node node, int input, int rank) {
    return switch (node.opType()) {
      case "Conv", "Gather" -> 0;
      case "ConvTranspose" -> rank > 1 ? 1 : -1;
      case "Gemm" -> {
        boolean transposed = node.intAttribute(input == 0 ? "transA" : "transB", 0) != 0;
        yield rank < 2 ? -1 : (input == 0) == transposed ? 1 : 0;
      }
      case "MatMul" -> rank < 2 ? -1 : rank - (input == 1 ? 1 : 2);
      default -> rank > 1 ? 1 : -1;
    };
  }
}
