package dev.kvant.backend.onnx.rewrite;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.QuantizationException;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.weights.BlockFormat;
import dev.kvant.backend.onnx.weights.BlockWeight;
import dev.kvant.backend.onnx.weights.WeightResult;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Replaces products with constant matrices by ONNX Runtime's {@code MatMulNBits}, and tables that
 * rows are looked up in by its {@code GatherBlockQuantized}.
 *
 * @since 0.1.0
 */
public final class BlockRewriter {

  /** ONNX Runtime's own operators. */
  public static final String DOMAIN = "com.microsoft";

  /** The operator that multiplies with blocks of codes. */
  public static final String PRODUCT = "MatMulNBits";

  /** The operator that looks up rows in blocks of codes. */
  public static final String LOOK_UP = "GatherBlockQuantized";

  private static final int BIAS_INPUT = 2;

  /**
   * What makes a matrix.
   *
   * @param channelsFirst whether output channels are its rows
   * @param algorithm what chooses its codes
   * @param isTable whether rows of it are looked up
   */
  private record Key(
      Initializer constant,
      boolean channelsFirst,
      CalibrationAlgorithm algorithm,
      boolean isTable) {}

  /** A matrix in the model's graph, by the names of its parts. */
  private record Stored(BlockWeight weight, String codes, String scales, String zeroPoints) {}

  private final OnnxModel model;
  private final OnnxOptions options;
  private final BlockInputs inputs;
  private final int parallelism;
  private final Map<Key, Stored> stored = new HashMap<>();

  BlockRewriter(OnnxModel model, OnnxOptions options, BlockInputs inputs, int parallelism) {
    this.model = model;
    this.options = options;
    this.inputs = inputs;
    this.parallelism = parallelism;
  }

  /** Why no operator of blocks does the work of a module; empty if there is one. */
  public static Optional<String> obstacle(Planned module, OnnxOptions options) {
    if (module.node().is("Gather")) {
      return obstacleToTable(module, options);
    }
    if (!isProduct(module)) {
      return Optional.of("MatMulNBits multiplies float32 matrices of two dimensions only");
    }
    return multiplies(module)
        ? Optional.empty()
        : Optional.of(
            "MatMulNBits has no factors and takes neither a transposed input nor a matrix on the"
                + " left");
  }

  private static Optional<String> obstacleToTable(Planned module, OnnxOptions options) {
    Optional<BlockFormat> format = options.embeddingFormat();
    if (format.isEmpty()) {
      return Optional.of("embedding_bits is 8");
    }
    List<Long> dims = module.weight().tensor().dims();
    if (dims.size() != 2
        || module.type() != DataType.FLOAT
        || module.node().intAttribute("axis", 0) != 0) {
      return Optional.of(
          "GatherBlockQuantized looks up rows of float32 matrices of two dimensions only");
    }
    return format.get().holdsRowsOf(dims.get(1))
        ? Optional.empty()
        : Optional.of(
            "ONNX Runtime 1.23 looks up rows correctly only if they are whole blocks of %d and have an even number of zero points; this one has %d values"
                .formatted(format.get().blockSize(), dims.get(1)));
  }

  /**
   * Whether a module is a product that {@code MatMulNBits} computes: of float32, with the matrix on
   * the right, no factors and the other side as it is.
   */
  public static boolean multiplies(Planned module) {
    Node node = module.node();
    return isProduct(module)
        && module.weight().input() == 1
        && node.intAttribute("transA", 0) == 0
        && node.floatAttribute("alpha", 1) == 1
        && node.floatAttribute("beta", 1) == 1;
  }

  /** Whether a module multiplies by a matrix of a kind that {@code MatMulNBits} has. */
  private static boolean isProduct(Planned module) {
    return (module.node().is("MatMul") || module.node().is("Gemm"))
        && module.weight().tensor().dims().size() == 2
        && module.type() == DataType.FLOAT;
  }

  /**
   * Rewrites a {@code MatMul}, {@code Gemm} or {@code Gather}.
   *
   * @throws QuantizationException if the weight has a value that is not finite
   */
  WeightResult rewrite(Planned module) {
    boolean isTable = module.node().is("Gather");
    boolean channelsFirst = isTable || module.weight().channelAxis() == 0;
    Initializer constant =
        module.graph().constant(module.node().input(module.weight().input())).orElseThrow();
    Stored matrix =
        stored.computeIfAbsent(
            new Key(
                constant,
                channelsFirst,
                module.decision().weights().settings().algorithm(),
                isTable),
            key -> store(module, key));
    model.setOpset(DOMAIN, 1);
    if (isTable) {
      lookUp(module, matrix);
    } else {
      multiply(module, matrix);
    }
    return matrix.weight();
  }

  private void lookUp(Planned module, Stored table) {
    Node node = module.node();
    List<String> values =
        new ArrayList<>(List.of(table.codes(), node.input(1), table.scales(), table.zeroPoints()));
    removeAbsent(values);
    replace(
        module,
        List.of(
            Node.create(
                    node.name().isEmpty()
                        ? model.freshName(node.outputs().get(0) + "_GatherBlockQuantized")
                        : node.name(),
                    DOMAIN,
                    LOOK_UP,
                    values,
                    List.of(node.outputs().get(0)))
                .with("bits", table.weight().format().bits())
                .with("block_size", table.weight().format().blockSize())
                .with("gather_axis", 0)
                .with("quantize_axis", 1)));
  }

  private void multiply(Planned module, Stored matrix) {
    Node node = module.node();
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
    removeAbsent(values);
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
                PRODUCT,
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
    replace(module, nodes);
  }

  /** Removes inputs that are left out behind the last one that is not. */
  private static void removeAbsent(List<String> values) {
    while (values.get(values.size() - 1).isEmpty()) {
      values.remove(values.size() - 1);
    }
  }

  private static void replace(Planned module, List<Node> nodes) {
    int index = module.graph().nodes().indexOf(module.node());
    module.graph().nodes().remove(index);
    module.graph().nodes().addAll(index, nodes);
  }

  private Stored store(Planned module, Key key) {
    BlockFormat format =
        key.isTable() ? options.embeddingFormat().orElseThrow() : options.blockFormat();
    StoredTensor source = module.weight().tensor();
    BlockWeight weight;
    try {
      weight =
          BlockWeight.of(source, key.channelsFirst(), inputs.encoder(module, format), parallelism);
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
            key.isTable() ? weight.rowShape() : weight.blockShape(),
            weight));
    String scales = model.freshName(source.name() + "_scale");
    add(
        StoredTensor.ofFloats(
            scales,
            key.isTable()
                ? List.of((long) weight.channels(), (long) weight.blocks())
                : List.of((long) weight.scales().length),
            weight.scales()));
    return new Stored(weight, codes, scales, zeroPoints(source, weight));
  }

  /** The name of the zero points of a matrix; empty if it has none. */
  private String zeroPoints(StoredTensor source, BlockWeight weight) {
    if (weight.format().symmetric()) {
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
