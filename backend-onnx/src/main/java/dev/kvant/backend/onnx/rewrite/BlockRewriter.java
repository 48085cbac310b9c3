package dev.kvant.backend.onnx.rewrite;

import dev.kvant.api.QuantizationException;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.weights.BlockWeight;
import dev.kvant.backend.onnx.weights.WeightResult;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import dev.kvant.spi.CalibrationStatistics;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Replaces products with constant matrices by ONNX Runtime's {@code MatMulNBits}.
 *
 * @since 0.1.0
 */
public final class BlockRewriter {

  /** ONNX Runtime's own operators. */
  public static final String DOMAIN = "com.microsoft";

  /** The operator that multiplies with blocks of codes. */
  public static final String OPERATOR = "MatMulNBits";

  private static final int BIAS_INPUT = 2;

  /**
   * What makes a matrix.
   *
   * @param channelsFirst whether output channels are its rows
   * @param input what its codes depend on; empty if they do not
   */
  private record Key(Initializer constant, boolean channelsFirst, String input) {}

  /** A matrix in the model's graph, by the names of its parts. */
  private record Stored(BlockWeight weight, String codes, String scales, String zeroPoints) {}

  private final OnnxModel model;
  private final OnnxOptions options;
  private final BlockInputs inputs;
  private final int parallelism;
  private final Map<Key, Stored> stored = new HashMap<>();

  /**
   * @param statistics what was observed of the inputs of products
   */
  BlockRewriter(
      OnnxModel model, OnnxOptions options, CalibrationStatistics statistics, int parallelism) {
    this.model = model;
    this.options = options;
    this.inputs = new BlockInputs(statistics);
    this.parallelism = parallelism;
  }

  /**
   * Whether a module is a product that {@code MatMulNBits} computes: of float32, with the matrix on
   * the right, no factors and the other side as it is.
   */
  public static boolean fits(Planned module) {
    Node node = module.node();
    return isProduct(module)
        && module.weight().input() == 1
        && node.intAttribute("transA", 0) == 0
        && node.floatAttribute("alpha", 1) == 1
        && node.floatAttribute("beta", 1) == 1;
  }

  /** Whether a module multiplies by a matrix of a kind that {@code MatMulNBits} has. */
  public static boolean isProduct(Planned module) {
    return (module.node().is("MatMul") || module.node().is("Gemm"))
        && module.weight().tensor().dims().size() == 2
        && module.type() == DataType.FLOAT;
  }

  /**
   * Rewrites a {@code MatMul} or {@code Gemm}.
   *
   * @throws QuantizationException if the weight has a value that is not finite
   */
  public WeightResult rewrite(Planned module) {
    Node node = module.node();
    Initializer constant =
        module.graph().constant(node.input(module.weight().input())).orElseThrow();
    Stored matrix =
        stored.computeIfAbsent(
            new Key(constant, module.weight().channelAxis() == 0, inputs.dependence(module)),
            each -> store(module));
    String bias = node.is("Gemm") ? node.input(BIAS_INPUT) : "";
    boolean isVector = isVector(module, bias);
    List<String> values =
        new ArrayList<>(
            List.of(
                node.input(module.activationInput()),
                matrix.codes(),
                matrix.scales(),
                matrix.zeroPoints()));
    if (isVector) {
      values.addAll(List.of("", bias));
    }
    while (values.get(values.size() - 1).isEmpty()) {
      values.remove(values.size() - 1);
    }
    String product = node.outputs().get(0);
    boolean isAdded = !bias.isEmpty() && !isVector;
    List<Node> nodes = new ArrayList<>();
    if (isAdded) {
      product = model.freshName(product + "_without_bias");
    }
    BlockWeight weight = matrix.weight();
    nodes.add(
        Node.create(
                node.name().isEmpty() ? model.freshName(product + "_MatMulNBits") : node.name(),
                DOMAIN,
                OPERATOR,
                values,
                List.of(product))
            .with("K", weight.length())
            .with("N", weight.channels())
            .with("bits", options.bits())
            .with("block_size", options.blockSize())
            .with("accuracy_level", options.accuracyLevel()));
    if (isAdded) {
      nodes.add(
          Node.create(
              model.freshName(product + "_Add"),
              "Add",
              List.of(product, bias),
              List.of(node.outputs().get(0))));
    }
    int index = module.graph().nodes().indexOf(node);
    module.graph().nodes().remove(index);
    module.graph().nodes().addAll(index, nodes);
    model.setOpset(DOMAIN, 1);
    return weight;
  }

  private Stored store(Planned module) {
    StoredTensor source = module.weight().tensor();
    BlockWeight weight;
    try {
      weight =
          BlockWeight.of(
              source,
              module.weight().channelAxis() == 0,
              inputs.encoder(module, options.blockFormat()),
              parallelism);
    } catch (NonFiniteValueException e) {
      throw new QuantizationException(
          "the weight '%s' of %s is %s at index %d and cannot be quantized; retrain or repair it"
              .formatted(source.name(), module.name(), e.value(), e.index()),
          e);
    }
    String codes = model.freshName(source.name() + "_quantized");
    add(
        new StoredTensor(
            codes,
            DataType.UINT8,
            List.of(
                (long) weight.channels(), (long) weight.blocks(), (long) weight.bytesPerBlock()),
            weight));
    String scales = model.freshName(source.name() + "_scale");
    add(StoredTensor.ofFloats(scales, List.of((long) weight.scales().length), weight.scales()));
    return new Stored(weight, codes, scales, zeroPoints(source, weight));
  }

  /** The name of the zero points of a matrix; empty if it has none. */
  private String zeroPoints(StoredTensor source, BlockWeight weight) {
    if (options.blockFormat().symmetric()) {
      return "";
    }
    String name = model.freshName(source.name() + "_zero_point");
    add(
        StoredTensor.of(
            name,
            DataType.UINT8,
            List.of((long) weight.channels(), (long) weight.zeroPointBytes()),
            ByteBuffer.wrap(weight.zeroPoints())));
    return name;
  }

  /** Whether a bias is what {@code MatMulNBits} adds: a constant number for each channel. */
  private static boolean isVector(Planned module, String bias) {
    return !bias.isEmpty()
        && module
            .graph()
            .constant(bias)
            .flatMap(Initializer::tensor)
            .filter(tensor -> tensor.type() == module.type())
            .filter(tensor -> tensor.dims().equals(List.of(channels(module))))
            .isPresent();
  }

  private static Long channels(Planned module) {
    return module.weight().tensor().dims().get(module.weight().channelAxis());
  }

  private void add(StoredTensor tensor) {
    model.graph().initializers().put(tensor.name(), Initializer.of(tensor));
  }
}
