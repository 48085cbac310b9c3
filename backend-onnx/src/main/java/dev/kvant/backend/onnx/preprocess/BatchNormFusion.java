package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Multiplies batch normalizations into the convolutions before them, as ONNX Runtime would: with
 * {@code s = γ / √(σ² + ε)} the weight of each output channel becomes {@code w s} and its bias
 * {@code (b - μ) s + β}, in float64, rounded to float32 at last.
 *
 * @since 0.1.0
 */
final class BatchNormFusion {

  private static final float DEFAULT_EPSILON = 1e-5f;

  private final OnnxModel model;
  private final Map<Value, Integer> readers;

  private BatchNormFusion(OnnxModel model) {
    this.model = model;
    this.readers = ValueReaders.count(model);
  }

  /** Fuses all that can be without a second copy of a weight. */
  static void apply(OnnxModel model) {
    BatchNormFusion fusion = new BatchNormFusion(model);
    for (Graph graph : model.graph().all()) {
      for (Node node : List.copyOf(graph.nodes())) {
        if (node.is("BatchNormalization") && node.outputs().size() == 1) {
          fusion.fuse(graph, node);
        }
      }
    }
  }

  private void fuse(Graph graph, Node norm) {
    Node conv = graph.producer(norm.input(0));
    if (conv == null
        || !conv.is("Conv")
        || !isReadOnce(graph, norm.input(0))
        || !isReadOnce(graph, conv.input(1))) {
      return;
    }
    Optional<StoredTensor> weight = constant(graph, conv.input(1));
    Optional<FloatBuffer> gamma = floats(graph, norm.input(1));
    Optional<FloatBuffer> beta = floats(graph, norm.input(2));
    Optional<FloatBuffer> mean = floats(graph, norm.input(3));
    Optional<FloatBuffer> variance = floats(graph, norm.input(4));
    boolean hasBias = !conv.input(2).isEmpty();
    Optional<FloatBuffer> bias = floats(graph, conv.input(2));
    if (weight.isEmpty()
        || gamma.isEmpty()
        || beta.isEmpty()
        || mean.isEmpty()
        || variance.isEmpty()
        || (hasBias && bias.isEmpty())) {
      return;
    }
    int channels = Math.toIntExact(weight.get().dims().get(0));
    double epsilon = norm.floatAttribute("epsilon", DEFAULT_EPSILON);
    double[] factors = new double[channels];
    float[] newBias = new float[channels];
    for (int channel = 0; channel < channels; channel++) {
      factors[channel] =
          gamma.get().get(channel) / Math.sqrt(variance.get().get(channel) + epsilon);
      double old = hasBias ? bias.orElseThrow().get(channel) : 0;
      newBias[channel] =
          (float) ((old - mean.get().get(channel)) * factors[channel] + beta.get().get(channel));
    }
    String weightName = model.freshName(conv.input(1) + "_fused");
    String biasName = model.freshName(weightName + "_bias");
    add(graph, scaled(weightName, weight.get(), factors));
    add(graph, StoredTensor.ofFloats(biasName, List.of((long) channels), newBias));
    conv.inputs().set(1, weightName);
    if (conv.inputs().size() > 2) {
      conv.inputs().set(2, biasName);
    } else {
      conv.inputs().add(biasName);
    }
    conv.outputs().set(0, norm.outputs().get(0));
    graph.removeNode(norm);
  }

  private static void add(Graph graph, StoredTensor tensor) {
    graph.initializers().put(tensor.name(), Initializer.of(tensor));
  }

  private static StoredTensor scaled(String name, StoredTensor weight, double[] factors) {
    FloatBuffer old =
        weight.content().read(0, Math.toIntExact(weight.content().bytes())).asFloatBuffer();
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
    return constant(graph, name)
        .map(
            tensor ->
                tensor
                    .content()
                    .read(0, Math.toIntExact(tensor.content().bytes()))
                    .asFloatBuffer());
  }
}
