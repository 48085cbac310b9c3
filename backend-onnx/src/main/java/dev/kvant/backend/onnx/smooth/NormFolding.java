package dev.kvant.backend.onnx.smooth;

import dev.kvant.backend.onnx.preprocess.Value;
import dev.kvant.backend.onnx.preprocess.ValueReaders;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Multiplies the channels of a tensor in the constants of the normalization that computes it: the
 * scale and the bias of {@code LayerNormalization}, or the constants of {@code Mul} and {@code Add}
 * at the end of one that is written out. That costs nothing when the model runs.
 *
 * <p>Possible where nothing else reads the tensor or what is between those constants. A tensor that
 * a residual connection reads too is left: one {@code Mul} beside it is cheaper than a second
 * normalization.
 */
final class NormFolding {

  /** A constant input of a node. */
  private record Constant(Node node, int input, StoredTensor tensor) {}

  private final OnnxModel model;
  private final Graph graph;

  /** Counted once: smoothing a tensor changes the readers of no other that is asked for. */
  private final Map<Value, Integer> readers;

  NormFolding(OnnxModel model) {
    this.model = model;
    this.graph = model.graph();
    this.readers = ValueReaders.count(model);
  }

  /**
   * Multiplies the channels of a tensor if that is possible.
   *
   * @param tensor a float32 tensor of the model's own graph
   * @param readers how many inputs of nodes may read it
   * @param multipliers a number for each channel of its last axis
   * @return the operator in whose constants that was done; empty if nothing was
   */
  Optional<String> fold(String tensor, int readers, float[] multipliers) {
    Node writer = graph.producer(tensor);
    if (writer == null || readers(tensor) != readers) {
      return Optional.empty();
    }
    List<Constant> constants = constants(writer, multipliers.length);
    if (constants.isEmpty()) {
      return Optional.empty();
    }
    for (Constant constant : constants) {
      constant.node().inputs().set(constant.input(), store(constant.tensor(), multipliers));
    }
    return Optional.of(name(writer));
  }

  private static String name(Node node) {
    return node.name().isEmpty() ? node.outputs().get(0) : node.name();
  }

  /** What is multiplied for the output of a node to be multiplied; empty if it cannot be. */
  private List<Constant> constants(Node writer, int channels) {
    if (writer.is("LayerNormalization")) {
      List<Constant> constants = new ArrayList<>();
      Optional<Constant> scale = constant(writer, 1, channels);
      Optional<Constant> bias = constant(writer, 2, channels);
      boolean isWhole = !writer.input(2).isEmpty() && bias.isEmpty();
      if (writer.intAttribute("axis", -1) != -1 || scale.isEmpty() || isWhole) {
        return List.of();
      }
      constants.add(scale.get());
      bias.ifPresent(constants::add);
      return constants;
    }
    if (writer.is("Mul")) {
      return either(writer, channels).map(List::of).orElse(List.of());
    }
    if (!writer.is("Add")) {
      return List.of();
    }
    Optional<Constant> beta = either(writer, channels);
    if (beta.isEmpty()) {
      return List.of();
    }
    String product = writer.input(1 - beta.get().input());
    Node multiplication = graph.producer(product);
    if (multiplication == null || !multiplication.is("Mul") || readers(product) != 1) {
      return List.of();
    }
    return either(multiplication, channels)
        .map(gamma -> List.of(gamma, beta.get()))
        .orElse(List.of());
  }

  private Optional<Constant> either(Node node, int channels) {
    return constant(node, 0, channels).or(() -> constant(node, 1, channels));
  }

  /** The input if it is a constant with a number for each channel of the last axis. */
  private Optional<Constant> constant(Node node, int input, int channels) {
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

  private String store(StoredTensor tensor, float[] multipliers) {
    FloatBuffer values = FloatValues.of(tensor);
    float[] products = new float[multipliers.length];
    for (int channel = 0; channel < products.length; channel++) {
      products[channel] = values.get(channel) * multipliers[channel];
    }
    String name = model.freshName(tensor.name() + "_smoothed");
    graph
        .initializers()
        .put(name, Initializer.of(StoredTensor.ofFloats(name, tensor.dims(), products)));
    return name;
  }

  /** How many inputs of nodes and outputs of graphs read a value of the model's own graph. */
  private int readers(String value) {
    return readers.getOrDefault(new Value(graph.place(), value), 0);
  }
}
