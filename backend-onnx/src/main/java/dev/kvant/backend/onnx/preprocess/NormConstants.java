package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The constants by which a normalization ends: {@code y = n * scale + bias}, with a number for each
 * channel of the last axis. Either the inputs of {@code LayerNormalization}, or the constants of
 * {@code Mul} and {@code Add} of one that is written out.
 *
 * @param scale what is multiplied by
 * @param bias what is added; empty if nothing is
 * @since 0.1.0
 */
public record NormConstants(Constant scale, Optional<Constant> bias) {

  /**
   * A constant input of a node.
   *
   * @param tensor its values, float32
   */
  public record Constant(Node node, int input, StoredTensor tensor) {}

  /**
   * What a tensor's last operators multiply and add.
   *
   * @param graph the model's own graph
   * @param channels the length of the tensor's last axis
   * @return empty if its writer does neither, or not in that way
   */
  public static Optional<NormConstants> of(Graph graph, String tensor, int channels) {
    Node writer = graph.producer(tensor);
    if (writer == null) {
      return Optional.empty();
    }
    if (writer.is("LayerNormalization")) {
      Optional<Constant> scale = constant(graph, writer, 1, channels);
      Optional<Constant> bias = constant(graph, writer, 2, channels);
      boolean isWhole = writer.input(2).isEmpty() || bias.isPresent();
      return writer.intAttribute("axis", -1) == -1 && isWhole
          ? scale.map(each -> new NormConstants(each, bias))
          : Optional.empty();
    }
    Optional<Constant> last = either(graph, writer, channels);
    if (writer.is("Mul")) {
      return last.map(scale -> new NormConstants(scale, Optional.empty()));
    }
    if (!writer.is("Add") || last.isEmpty()) {
      return Optional.empty();
    }
    Node product = graph.producer(writer.input(1 - last.get().input()));
    return product == null || !product.is("Mul")
        ? Optional.empty()
        : either(graph, product, channels).map(scale -> new NormConstants(scale, last));
  }

  /** All constants. */
  public List<Constant> all() {
    return Stream.concat(Stream.of(scale), bias.stream()).toList();
  }

  /**
   * The mean square of each channel, by the constants alone: what is normalized has the mean 0 and
   * the mean square 1.
   *
   * @return empty if what is multiplied is not known to be normalized
   */
  public Optional<double[]> meanSquares(Graph graph) {
    if (!scale.node().is("LayerNormalization") && !isNormalized(graph)) {
      return Optional.empty();
    }
    FloatBuffer factors = FloatValues.of(scale.tensor());
    double[] squares = new double[factors.remaining()];
    Arrays.setAll(squares, i -> (double) factors.get(i) * factors.get(i));
    if (bias.isPresent()) {
      FloatBuffer offsets = FloatValues.of(bias.get().tensor());
      Arrays.setAll(squares, i -> squares[i] + (double) offsets.get(i) * offsets.get(i));
    }
    return Optional.of(squares);
  }

  /** Whether a quotient with a square root is multiplied. */
  private boolean isNormalized(Graph graph) {
    Node quotient = graph.producer(scale.node().input(1 - scale.input()));
    if (quotient == null || !quotient.is("Div")) {
      return false;
    }
    Node divisor = graph.producer(quotient.input(1));
    return divisor != null && divisor.is("Sqrt");
  }

  private static Optional<Constant> either(Graph graph, Node node, int channels) {
    return constant(graph, node, 0, channels).or(() -> constant(graph, node, 1, channels));
  }

  /** The input if it is a constant with a number for each channel of the last axis. */
  private static Optional<Constant> constant(Graph graph, Node node, int input, int channels) {
    return graph
        .constant(node.input(input))
        .flatMap(Initializer::tensor)
        .filter(tensor -> tensor.type() == DataType.FLOAT && isOfChannels(tensor, channels))
        .map(tensor -> new Constant(node, input, tensor));
  }

  private static boolean isOfChannels(StoredTensor tensor, int channels) {
    List<Long> dims = tensor.dims();
    return !dims.isEmpty()
        && channels > 1
        && dims.get(dims.size() - 1) == channels
        && tensor.elements() == channels;
  }
}
