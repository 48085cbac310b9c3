package dev.kvant.backend.onnx.rewrite;

import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.weights.QuantizedWeight;
import dev.kvant.numerics.observer.AffineStep;
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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Stores biases as int32 with the scale of the sums that they are added to, so that a product can
 * be computed in integers to its end.
 *
 * <p>{@code q = clamp(rint(b / (s_x s_w)))}. If {@code |q|} would exceed 2<sup>30</sup>, the scale
 * of the weight is raised first: the other half of int32 is for the sum that the bias is added to.
 * A channel of zeros has codes of zero with any scale; it gets the one with the most exact bias. A
 * bias stays in floating point if {@code s_x s_w} is not a normal float32. After {@code
 * _adjust_weight_scale_for_int32_bias} and {@code quantize_bias_static_impl} of
 * onnxruntime.quantization 1.32.
 */
final class BiasRewriter {

  private static final int BIAS_INPUT = 2;

  /** Keeps rounding from undoing what the raise was for. */
  private static final double MARGIN = 1.0001;

  /** The largest code of a bias, which leaves as much room for what it is added to. */
  private static final double LARGEST_CODE = 1 << 30;

  /** The scale of a channel of zeros, before its bias raises it. */
  private static final float SMALLEST_SCALE = 0x1p-64f;

  /**
   * A bias whose product is quantized on both sides.
   *
   * @param node the node that reads it: the product, or an Add behind it
   * @param input which of its inputs it is
   */
  private record Bias(
      Node node, int input, QuantizedWeight weight, AffineStep step, FloatBuffer values) {}

  private final OnnxModel model;
  private final List<Bias> biases = new ArrayList<>();
  private final Map<Graph, Map<String, List<Node>>> readers = new HashMap<>();

  BiasRewriter(OnnxModel model) {
    this.model = model;
  }

  /** Takes note of a product of quantized operands, which has no factors. */
  void add(Planned module, QuantizedWeight weight, AffineStep step) {
    if (module.type() != DataType.FLOAT || module.weight().input() != 1) {
      return;
    }
    Node node = module.node();
    if (node.is("MatMul")) {
      added(module).ifPresent(add -> add(add, constantInput(module, add), module, weight, step));
      return;
    }
    if (node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm")) {
      add(node, BIAS_INPUT, module, weight, step);
    }
  }

  /**
   * The Add of a constant that alone reads a MatMul with a matrix on the right. Where shapes are
   * fixed ONNX Runtime turns both into a Gemm before it looks for products of integers, and has no
   * such Gemm with a bias in float.
   */
  private Optional<Node> added(Planned module) {
    Graph graph = module.graph();
    String sum = module.node().outputs().get(0);
    List<Node> reading = readers(graph).getOrDefault(sum, List.of());
    boolean isOutput = graph.outputs().stream().anyMatch(each -> each.getName().equals(sum));
    return Optional.of(reading)
        .filter(found -> found.size() == 1 && !isOutput)
        .map(found -> found.get(0))
        .filter(node -> node.is("Add") && graph.nodes().contains(node))
        .filter(
            node ->
                module.weight().tensor().dims().size() == 2
                    && constant(module, node.input(constantInput(module, node)))
                        .filter(tensor -> tensor.dims().equals(columns(module)))
                        .isPresent());
  }

  private static List<Long> columns(Planned module) {
    return module.weight().tensor().dims().subList(1, 2);
  }

  private static int constantInput(Planned module, Node add) {
    return add.input(0).equals(module.node().outputs().get(0)) ? 1 : 0;
  }

  private Map<String, List<Node>> readers(Graph graph) {
    return readers.computeIfAbsent(
        graph,
        each -> {
          Map<String, List<Node>> found = new HashMap<>();
          each.all().stream()
              .flatMap(inner -> inner.nodes().stream())
              .forEach(
                  node ->
                      node.inputs()
                          .forEach(
                              input ->
                                  found
                                      .computeIfAbsent(input, key -> new ArrayList<>())
                                      .add(node)));
          return found;
        });
  }

  private static Optional<StoredTensor> constant(Planned module, String name) {
    return module
        .graph()
        .constant(name)
        .flatMap(Initializer::tensor)
        .filter(tensor -> tensor.type() == DataType.FLOAT && tensor.dims().size() == 1);
  }

  private void add(Node node, int input, Planned module, QuantizedWeight weight, AffineStep step) {
    Optional<StoredTensor> bias = constant(module, node.input(input));
    if (bias.isEmpty()) {
      return;
    }
    FloatBuffer values = FloatValues.of(bias.get());
    int scales = weight.scales().length;
    if (scales == 1 || scales == values.remaining()) {
      biases.add(new Bias(node, input, weight, step, values));
    }
  }

  /** Raises scales of weights where biases need it, then stores the biases. */
  void rewrite() {
    // A weight may be shared: all raises come before the first bias that depends on them.
    biases.stream().map(Bias::weight).distinct().forEach(BiasRewriter::lowerScalesOfZeros);
    biases.forEach(BiasRewriter::raiseScales);
    biases.stream().filter(BiasRewriter::hasNormalScales).forEach(this::store);
  }

  private static void lowerScalesOfZeros(QuantizedWeight weight) {
    for (int channel = 0; channel < weight.scales().length; channel++) {
      if (weight.isZero(channel)) {
        weight.scales()[channel] = SMALLEST_SCALE;
      }
    }
  }

  private static boolean hasNormalScales(Bias bias) {
    for (float scale : bias.weight().scales()) {
      float product = bias.step().scale() * scale;
      if (!(product >= Float.MIN_NORMAL && product <= Float.MAX_VALUE)) {
        return false;
      }
    }
    return true;
  }

  private static void raiseScales(Bias bias) {
    float[] scales = bias.weight().scales();
    for (int channel = 0; channel < scales.length; channel++) {
      double magnitude = 0;
      if (scales.length == 1) {
        for (int i = 0; i < bias.values().remaining(); i++) {
          magnitude = Math.max(magnitude, Math.abs((double) bias.values().get(i)));
        }
      } else {
        magnitude = Math.abs((double) bias.values().get(channel));
      }
      double smallest = MARGIN * magnitude / LARGEST_CODE;
      double scale = (double) bias.step().scale() * scales[channel];
      if (scale < smallest) {
        scales[channel] = (float) (scales[channel] * (smallest / scale));
      }
    }
  }

  private void store(Bias bias) {
    float[] scales = bias.weight().scales();
    float[] products = new float[scales.length];
    for (int channel = 0; channel < scales.length; channel++) {
      products[channel] = bias.step().scale() * scales[channel];
    }
    ByteBuffer codes =
        ByteBuffer.allocate(bias.values().remaining() * Integer.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < bias.values().remaining(); i++) {
      double code = Math.rint(bias.values().get(i) / (double) products[scales.length == 1 ? 0 : i]);
      codes.putInt((int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, code)));
    }
    String name = bias.node().input(bias.input());
    String quantized = model.freshName(name + "_quantized");
    add(
        StoredTensor.of(
            quantized, DataType.INT32, List.of((long) bias.values().remaining()), codes.flip()));
    List<Long> shape = scales.length == 1 ? List.of() : List.of((long) scales.length);
    String scale = model.freshName(name + "_quantized_scale");
    add(StoredTensor.ofFloats(scale, shape, products));
    String zeroPoint = model.freshName(name + "_quantized_zero_point");
    add(
        StoredTensor.of(
            zeroPoint, DataType.INT32, shape, ByteBuffer.allocate(scales.length * Integer.BYTES)));
    String output = model.freshName(name + "_DequantizeLinear_Output");
    Node dequantize =
        Node.create(
            model.freshName(name + "_DequantizeLinear"),
            "DequantizeLinear",
            List.of(quantized, scale, zeroPoint),
            List.of(output));
    if (scales.length > 1) {
      dequantize.with("axis", 0);
    }
    model.graph().nodes().add(0, dequantize);
    bias.node().inputs().set(bias.input(), output);
  }

  private void add(StoredTensor tensor) {
    model.graph().initializers().put(tensor.name(), Initializer.of(tensor));
  }
}
