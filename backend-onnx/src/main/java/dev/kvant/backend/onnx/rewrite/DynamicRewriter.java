package dev.kvant.backend.onnx.rewrite;

import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationException;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.preprocess.Value;
import dev.kvant.backend.onnx.weights.QuantizedWeight;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Replaces products with constant matrices by products of integers whose left side is quantized as
 * the model runs.
 *
 * <p>With the input {@code x} and the matrix {@code w} of shape [K, N]: {@code
 * DynamicQuantizeLinear} gives uint8 codes of {@code x} with one scale and one zero point for all
 * of its values; {@code MatMulInteger} multiplies the codes of both sides; {@code Cast} and {@code
 * Mul} with {@code scale_x scale_w[N]} restore the sums; a bias is added in floating point. ONNX
 * Runtime fuses these into one kernel. Products that read the same tensor share its codes. Source:
 * the operators' definitions in ONNX opset 11 and 10.
 *
 * @since 0.1.0
 */
public final class DynamicRewriter {

  private static final int BIAS_INPUT = 2;

  /** A tensor that is quantized as the model runs, by the names of its parts. */
  private record Codes(String codes, String scale, String zeroPoint) {}

  /**
   * What makes a quantized matrix.
   *
   * @param transposed whether a Gemm transposes it
   * @param axis the axis along which scales differ, or -1 for one scale
   * @param search how ranges are chosen
   */
  private record Key(Initializer constant, boolean transposed, int axis, OperandSettings search) {}

  /** A matrix in the model's graph, by the names of its parts. */
  private record Matrix(QuantizedWeight weight, String codes, String scale, String zeroPoint) {}

  private final OnnxModel model;
  private final int parallelism;
  private final CodeRange codeRange;
  private final Map<Value, Codes> codes = new HashMap<>();
  private final Map<Key, Matrix> matrices = new HashMap<>();

  /**
   * @param codeRange limits the codes of weights
   */
  DynamicRewriter(OnnxModel model, CodeRange codeRange, int parallelism) {
    this.model = model;
    this.codeRange = codeRange;
    this.parallelism = parallelism;
  }

  /**
   * Whether a product is one that these operators compute: of a float32 matrix on the right,
   * without factors and with the other side as it is.
   */
  public static boolean fits(Planned module) {
    Node node = module.node();
    return (node.is("MatMul") || node.is("Gemm"))
        && module.weight().input() == 1
        && module.weight().tensor().dims().size() == 2
        && module.type() == DataType.FLOAT
        && node.intAttribute("transA", 0) == 0
        && node.floatAttribute("alpha", 1) == 1
        && node.floatAttribute("beta", 1) == 1;
  }

  /**
   * Rewrites a {@code MatMul} or {@code Gemm}.
   *
   * @throws QuantizationException if the weight has a value that is not finite
   */
  QuantizedWeight rewrite(Planned module) {
    Node node = module.node();
    Graph graph = module.graph();
    Codes input = codes(graph, node.input(0));
    Matrix matrix = matrix(module);
    String output = node.outputs().get(0);
    String bias = node.is("Gemm") ? node.input(BIAS_INPUT) : "";
    String sums = model.freshName(output + "_sums");
    String values = model.freshName(output + "_values");
    String scale = model.freshName(output + "_scale");
    String product = bias.isEmpty() ? output : model.freshName(output + "_without_bias");
    List<Node> nodes = new ArrayList<>();
    nodes.add(
        Node.create(
            node.name().isEmpty() ? model.freshName(output + "_MatMulInteger") : node.name(),
            "MatMulInteger",
            List.of(input.codes(), matrix.codes(), input.zeroPoint(), matrix.zeroPoint()),
            List.of(sums)));
    nodes.add(
        Node.create(model.freshName(output + "_Cast"), "Cast", List.of(sums), List.of(values))
            .with("to", DataType.FLOAT.number()));
    nodes.add(
        Node.create(
            model.freshName(output + "_Mul_scales"),
            "Mul",
            List.of(input.scale(), matrix.scale()),
            List.of(scale)));
    nodes.add(
        Node.create(
            model.freshName(output + "_Mul"), "Mul", List.of(values, scale), List.of(product)));
    if (!bias.isEmpty()) {
      nodes.add(
          Node.create(
              model.freshName(output + "_Add"), "Add", List.of(product, bias), List.of(output)));
    }
    int index = graph.nodes().indexOf(node);
    graph.nodes().remove(index);
    graph.nodes().addAll(index, nodes);
    return matrix.weight();
  }

  private Codes codes(Graph graph, String name) {
    Graph found = graph.home(name);
    Graph home = found == null ? graph : found;
    return codes.computeIfAbsent(new Value(home.place(), name), value -> quantize(home, name));
  }

  private Codes quantize(Graph home, String name) {
    var parts =
        new Codes(
            model.freshName(name + "_quantized"),
            model.freshName(name + "_scale"),
            model.freshName(name + "_zero_point"));
    home.insertAfter(
        name,
        List.of(
            Node.create(
                model.freshName(name + "_DynamicQuantizeLinear"),
                "DynamicQuantizeLinear",
                List.of(name),
                List.of(parts.codes(), parts.scale(), parts.zeroPoint()))));
    return parts;
  }

  private Matrix matrix(Planned module) {
    Initializer constant =
        module.graph().constant(module.node().input(module.weight().input())).orElseThrow();
    return matrices.computeIfAbsent(
        new Key(
            constant,
            module.weight().channelAxis() == 0,
            module.scaleAxis(),
            WeightRewriter.search(module.decision().weights().settings())),
        key -> store(module, key));
  }

  private Matrix store(Planned module, Key key) {
    StoredTensor source = module.weight().tensor();
    QuantizedWeight weight;
    try {
      weight =
          QuantizedWeight.of(
              source,
              source.type().floatType().orElseThrow(),
              QuantizedType.INT8,
              key.axis(),
              key.search(),
              parallelism);
    } catch (NonFiniteValueException e) {
      throw new QuantizationException(
          "the weight '%s' of %s is %s at index %d and cannot be quantized; retrain or repair it"
              .formatted(source.name(), module.name(), e.value(), e.index()),
          e);
    }
    codeRange.fit(weight, module);
    String stored = model.freshName(source.name() + "_quantized");
    add(new StoredTensor(stored, DataType.INT8, source.dims(), weight));
    int scales = weight.scales().length;
    List<Long> shape = key.axis() < 0 ? List.of() : List.of((long) scales);
    String scale = model.freshName(source.name() + "_scale");
    add(new StoredTensor(scale, DataType.FLOAT, shape, weight.scaleContent()));
    String zeroPoint = model.freshName(source.name() + "_zero_point");
    add(StoredTensor.of(zeroPoint, DataType.INT8, shape, ByteBuffer.allocate(scales)));
    return new Matrix(weight, key.transposed() ? transposed(stored) : stored, scale, zeroPoint);
  }

  /** A node for it: runtimes compute it once, when they load the model. */
  private String transposed(String matrix) {
    String output = model.freshName(matrix + "_transposed");
    model
        .graph()
        .nodes()
        .add(
            0,
            Node.create(
                model.freshName(matrix + "_Transpose"),
                "Transpose",
                List.of(matrix),
                List.of(output)));
    return output;
  }

  private void add(StoredTensor tensor) {
    model.graph().initializers().put(tensor.name(), Initializer.of(tensor));
  }
}
