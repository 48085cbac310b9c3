package dev.kvant.backend.onnx.smooth;

import dev.kvant.backend.onnx.preprocess.NormConstants;
import dev.kvant.backend.onnx.preprocess.NormConstants.Constant;
import dev.kvant.backend.onnx.preprocess.Value;
import dev.kvant.backend.onnx.preprocess.ValueReaders;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.FloatBuffer;
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
    List<Constant> constants = constants(tensor, multipliers.length);
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

  /**
   * What is multiplied for a tensor to be multiplied; empty if it cannot be, since something else
   * reads what is between two constants.
   */
  private List<Constant> constants(String tensor, int channels) {
    return NormConstants.of(graph, tensor, channels)
        .map(NormConstants::all)
        .filter(
            constants ->
                constants.stream()
                    .map(constant -> constant.node().outputs().get(0))
                    .allMatch(output -> output.equals(tensor) || readers(output) == 1))
        .orElse(List.of());
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
