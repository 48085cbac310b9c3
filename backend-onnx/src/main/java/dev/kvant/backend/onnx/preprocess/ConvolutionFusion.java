package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Computes into convolutions what follows them and is {@code s x + t} with constants for each
 * channel, as ONNX Runtime would: batch normalizations with {@code s = γ / √(σ² + ε)} and {@code t
 * = β - μ s}, and Add, Sub, Mul and Div with one constant number for each channel or for all. The
 * weight {@code w} of each output channel becomes {@code w s} and its bias {@code b} becomes {@code
 * b s + t}, in float64, rounded to float32 at last.
 *
 * @since 0.1.0
 */
final class ConvolutionFusion {

  private static final float DEFAULT_EPSILON = 1e-5f;

  private static final Set<String> ARITHMETIC = Set.of("Add", "Sub", "Mul", "Div");

  /**
   * A function of each channel: what its values are multiplied by, and what is added after that.
   */
  private static final class Affine {
    private final double[] factors;
    private final double[] shifts;

    Affine(double[] factors, double[] shifts) {
      this.factors = factors;
      this.shifts = shifts;
    }

    boolean isShift() {
      return Arrays.stream(factors).allMatch(factor -> factor == 1);
    }
  }

  private final OnnxModel model;
  private final Map<Value, Integer> readers;

  private ConvolutionFusion(OnnxModel model) {
    this.model = model;
    this.readers = new HashMap<>(ValueReaders.count(model));
  }

  /** Fuses all that can be without a second copy of a weight. */
  static void apply(OnnxModel model) {
    boolean hasConvolution =
        model.graph().all().stream()
            .flatMap(graph -> graph.nodes().stream())
            .anyMatch(node -> node.is("Conv"));
    if (!hasConvolution) {
      return;
    }
    ConvolutionFusion fusion = new ConvolutionFusion(model);
    for (Graph graph : model.graph().all()) {
      for (Node node : List.copyOf(graph.nodes())) {
        if (node.is("BatchNormalization") && node.outputs().size() == 1) {
          fusion.fuse(graph, node, 0);
        } else if (ARITHMETIC.contains(node.opType()) && node.domain().isEmpty()) {
          boolean isLeft = graph.constant(node.input(1)).isPresent();
          boolean commutes = node.is("Add") || node.is("Mul");
          if (isLeft || commutes) {
            fusion.fuse(graph, node, isLeft ? 0 : 1);
          }
        }
      }
    }
  }

  private void fuse(Graph graph, Node node, int input) {
    Node conv = graph.producer(node.input(input));
    if (conv == null || !conv.is("Conv") || !isReadOnce(graph, node.input(input))) {
      return;
    }
    Optional<StoredTensor> weight = constant(graph, conv.input(1));
    boolean hasBias = !conv.input(2).isEmpty();
    Optional<FloatBuffer> bias = floats(graph, conv.input(2));
    if (weight.isEmpty() || (hasBias && bias.isEmpty())) {
      return;
    }
    int channels = Math.toIntExact(weight.get().dims().get(0));
    Optional<Affine> function =
        node.is("BatchNormalization")
            ? normalization(graph, node, channels)
            : arithmetic(graph, node, 1 - input, weight.get().dims().size(), channels);
    if (function.isEmpty()) {
      return;
    }
    double[] factors = function.get().factors;
    if (!function.get().isShift()) {
      if (!isReadOnce(graph, conv.input(1))) {
        return;
      }
      String name = model.freshName(conv.input(1) + "_fused");
      add(graph, scaled(name, weight.get(), factors));
      conv.inputs().set(1, name);
    }
    float[] newBias = new float[channels];
    for (int channel = 0; channel < channels; channel++) {
      double old = hasBias ? bias.orElseThrow().get(channel) : 0;
      newBias[channel] = (float) (old * factors[channel] + function.get().shifts[channel]);
    }
    String biasName = model.freshName(conv.input(1) + "_bias");
    add(graph, StoredTensor.ofFloats(biasName, List.of((long) channels), newBias));
    if (conv.inputs().size() > 2) {
      conv.inputs().set(2, biasName);
    } else {
      conv.inputs().add(biasName);
    }
    conv.outputs().set(0, node.outputs().get(0));
    graph.removeNode(node);
  }

  private static Optional<Affine> normalization(Graph graph, Node node, int channels) {
    Optional<FloatBuffer> gamma = floats(graph, node.input(1));
    Optional<FloatBuffer> beta = floats(graph, node.input(2));
    Optional<FloatBuffer> mean = floats(graph, node.input(3));
    Optional<FloatBuffer> variance = floats(graph, node.input(4));
    if (gamma.isEmpty() || beta.isEmpty() || mean.isEmpty() || variance.isEmpty()) {
      return Optional.empty();
    }
    double epsilon = node.floatAttribute("epsilon", DEFAULT_EPSILON);
    double[] factors = new double[channels];
    double[] shifts = new double[channels];
    for (int channel = 0; channel < channels; channel++) {
      factors[channel] =
          gamma.get().get(channel) / Math.sqrt(variance.get().get(channel) + epsilon);
      shifts[channel] = beta.get().get(channel) - mean.get().get(channel) * factors[channel];
    }
    return Optional.of(new Affine(factors, shifts));
  }

  /**
   * What an operator of two operands does with each channel.
   *
   * @param input which operand is constant
   * @param dimensions the number of dimensions of the other operand, the second of which is that of
   *     the channels
   */
  private static Optional<Affine> arithmetic(
      Graph graph, Node node, int input, int dimensions, int channels) {
    Optional<StoredTensor> constant =
        constant(graph, node.input(input)).filter(each -> isPerChannel(each, dimensions, channels));
    if (constant.isEmpty()) {
      return Optional.empty();
    }
    FloatBuffer values = FloatValues.of(constant.get());
    double[] factors = new double[channels];
    double[] shifts = new double[channels];
    for (int channel = 0; channel < channels; channel++) {
      double value = values.get(values.remaining() == 1 ? 0 : channel);
      factors[channel] =
          switch (node.opType()) {
            case "Mul" -> value;
            case "Div" -> 1 / value;
            default -> 1;
          };
      shifts[channel] =
          switch (node.opType()) {
            case "Add" -> value;
            case "Sub" -> -value;
            default -> 0;
          };
      if (!Double.isFinite(factors[channel])) {
        return Optional.empty();
      }
    }
    return Optional.of(new Affine(factors, shifts));
  }

  /** Whether a constant has one value, or one for each channel, and makes no result larger. */
  private static boolean isPerChannel(StoredTensor constant, int dimensions, int channels) {
    List<Long> dims = constant.dims();
    if (dims.size() > dimensions) {
      return false;
    }
    int channelAxis = dims.size() - dimensions + 1;
    return constant.elements() == 1
        || (channelAxis >= 0
            && constant.elements() == channels
            && dims.get(channelAxis) == channels);
  }

  private void add(Graph graph, StoredTensor tensor) {
    graph.initializers().put(tensor.name(), Initializer.of(tensor));
    readers.put(new Value(graph.place(), tensor.name()), 1);
  }

  private static StoredTensor scaled(String name, StoredTensor weight, double[] factors) {
    FloatBuffer old = FloatValues.of(weight);
    int perChannel = old.remaining() / factors.length;
    ByteBuffer bytes =
        ByteBuffer.allocate(old.remaining() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < old.remaining(); i++) {
      bytes.putFloat((float) (old.get(i) * factors[i / perChannel]));
    }
    return StoredTensor.of(name, DataType.FLOAT, weight.dims(), bytes.flip());
  }

  private boolean isReadOnce(Graph graph, String name) {
    Value value = Value.read(graph, name);
    return value != null && readers.getOrDefault(value, 0) == 1;
  }

  private static Optional<StoredTensor> constant(Graph graph, String name) {
    return graph
        .constant(name)
        .flatMap(Initializer::tensor)
        .filter(tensor -> tensor.type() == DataType.FLOAT && tensor.elements() > 0);
  }

  private static Optional<FloatBuffer> floats(Graph graph, String name) {
    return constant(graph, name).map(FloatValues::of);
  }
}
