package dev.kvant.onnx.graph;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.onnx.graph.OnnxModule.Weight;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the nodes of a model that have trained parameters.
 *
 * @since 0.1.0
 */
public final class OnnxModules {

  static final String CLASS_HIERARCHY = "pkg.torch.onnx.class_hierarchy";

  /** Operators that hold parameters and are not quantized here, with their torch classes. */
  private static final Map<String, List<String>> OTHERS =
      Map.ofEntries(
          Map.entry("LSTM", List.of("LSTM")),
          Map.entry("GRU", List.of("GRU")),
          Map.entry("RNN", List.of("RNN")),
          Map.entry("BatchNormalization", List.of("BatchNorm1d", "BatchNorm2d", "BatchNorm3d")),
          Map.entry(
              "InstanceNormalization",
              List.of("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d")),
          Map.entry("LayerNormalization", List.of("LayerNorm")),
          Map.entry("SimplifiedLayerNormalization", List.of("RMSNorm")),
          Map.entry("SkipLayerNormalization", List.of()),
          Map.entry("SkipSimplifiedLayerNormalization", List.of()),
          Map.entry("RMSNormalization", List.of("RMSNorm")),
          Map.entry("GroupNormalization", List.of("GroupNorm")),
          Map.entry("GroupNorm", List.of()),
          Map.entry("PRelu", List.of("PReLU")),
          Map.entry("DeformConv", List.of()),
          Map.entry("Einsum", List.of()),
          Map.entry("Attention", List.of()),
          Map.entry("MultiHeadAttention", List.of("MultiheadAttention")),
          Map.entry("PackedAttention", List.of()),
          Map.entry("PackedMultiHeadAttention", List.of()),
          Map.entry("DecoderMaskedMultiHeadAttention", List.of()),
          Map.entry("LongformerAttention", List.of()),
          Map.entry("EmbedLayerNormalization", List.of()),
          Map.entry("FusedConv", List.of("Conv2d")),
          Map.entry("FusedGemm", List.of("Linear")),
          Map.entry("FusedMatMul", List.of("Linear")));

  /**
   * An operator whose weight is stored as codes.
   *
   * @param codes the input with the codes
   * @param scale the input with their scales, or -1
   * @param bias the input with the bias, or -1
   * @param type its torch class, or the empty string
   */
  private record Quantized(int codes, int scale, int bias, String type) {}

  private static final Map<String, Quantized> QUANTIZED =
      Map.ofEntries(
          Map.entry("QLinearConv", new Quantized(3, 4, 8, "Conv")),
          Map.entry("QLinearMatMul", new Quantized(3, 4, -1, "Linear")),
          Map.entry("ConvInteger", new Quantized(1, -1, -1, "Conv")),
          Map.entry("MatMulInteger", new Quantized(1, -1, -1, "Linear")),
          Map.entry("QGemm", new Quantized(3, 4, 6, "Linear")),
          Map.entry("DynamicQuantizeMatMul", new Quantized(1, 2, 4, "Linear")),
          Map.entry("MatMulIntegerToFloat", new Quantized(1, 3, 6, "Linear")),
          Map.entry("DynamicQuantizeLSTM", new Quantized(1, 8, 3, "LSTM")),
          Map.entry("QAttention", new Quantized(1, 4, 2, "")),
          Map.entry("MatMulNBits", new Quantized(1, 2, 5, "Linear")),
          Map.entry("GatherBlockQuantized", new Quantized(0, 2, -1, "Embedding")));

  private static final String SCALE = "weight_scale";

  private final ModuleNames names;
  private final ConstantValues constants;
  private final List<OnnxModule> modules = new ArrayList<>();
  private final Map<String, ModelTensor> tensors = new LinkedHashMap<>();

  private OnnxModules(ModuleNames names, ConstantValues constants) {
    this.names = names;
    this.constants = constants;
  }

  /**
   * All of them, in the order in which they are computed, those of inner graphs in their place.
   *
   * @param names the names of the nodes; those added to the model since are no modules
   * @param constants describes what is constant
   */
  public static List<OnnxModule> of(OnnxModel model, ModuleNames names, ConstantValues constants) {
    OnnxModules found = new OnnxModules(names, constants);
    found.collect(model.graph());
    return List.copyOf(found.modules);
  }

  /**
   * The nodes of a model's own graph without parameters, in the order in which they are computed.
   *
   * @param names the names that nodes had before changes; those added since are left out
   * @param constants describes what is constant
   * @param modules what {@link #of} gives for these
   */
  public static List<OnnxModule> operators(
      OnnxModel model, ModuleNames names, ConstantValues constants, List<OnnxModule> modules) {
    OnnxModules found = new OnnxModules(names, constants);
    Graph graph = model.graph();
    Set<Node> others = new HashSet<>();
    modules.forEach(module -> others.add(module.node()));
    List<OnnxModule> operators = new ArrayList<>();
    for (Node node : graph.nodes()) {
      if (names.knows(node) && !node.is("Constant") && !others.contains(node)) {
        operators.add(
            new OnnxModule(
                new ModuleDescription(
                    names.of(node), found.types(graph, node, Map.of()), false, List.of()),
                graph,
                node));
      }
    }
    return List.copyOf(operators);
  }

  /** The tensors of all modules by qualified name, in the order of {@link #of}. */
  public static Map<String, ModelTensor> tensors(OnnxModel model) {
    OnnxModules found = new OnnxModules(ModuleNames.of(model), new ConstantValues());
    found.collect(model.graph());
    return found.tensors;
  }

  /**
   * The tool that quantized a model, and a node that shows it, as in {@code onnx.quantize: the
   * weight of 'fc1' is int8}; empty if no weight is quantized.
   *
   * @param names the names of the nodes
   */
  public static Optional<String> quantizedBy(OnnxModel model, ModuleNames names) {
    OnnxModules found = new OnnxModules(names, new ConstantValues());
    for (Graph graph : model.graph().all()) {
      for (Node node : graph.nodes()) {
        Optional<DataType> codes = found.codes(graph, node);
        if (codes.isPresent()) {
          return Optional.of(
              "%s: the weight of '%s' is %s"
                  .formatted(
                      model.producer().isEmpty() ? "another tool" : model.producer(),
                      found.names.name(node),
                      codes.get().name().toLowerCase(Locale.ROOT)));
        }
      }
    }
    return Optional.empty();
  }

  /** The type of the codes of a node's weight; empty if it has none. */
  private Optional<DataType> codes(Graph graph, Node node) {
    Quantized quantized = QUANTIZED.get(node.opType());
    return quantized == null
        ? weightValues(graph, node).values().stream()
            .filter(ConstantValue::quantized)
            .findFirst()
            .map(ConstantValue::type)
        : constants.of(graph, node.input(quantized.codes())).map(ConstantValue::type);
  }

  private void collect(Graph graph) {
    for (Node node : graph.nodes()) {
      if (names.knows(node)) {
        module(graph, node).ifPresent(modules::add);
      }
      node.subgraphs().values().forEach(this::collect);
    }
  }

  private Optional<OnnxModule> module(Graph graph, Node node) {
    Map<Integer, ConstantValue> weights = weightValues(graph, node);
    Quantized quantized = QUANTIZED.get(node.opType());
    boolean holdsParameters =
        (quantized != null || OTHERS.containsKey(node.opType()))
            && hasParameters(graph, node, quantized != null);
    if (weights.isEmpty() && !holdsParameters) {
      return Optional.empty();
    }
    List<ModuleTensor> found =
        quantized == null ? tensors(graph, node, weights) : tensors(graph, node, quantized);
    for (ModuleTensor tensor : found) {
      for (String name : names.of(node)) {
        tensors.putIfAbsent(name + "." + tensor.description().name(), tensor);
      }
    }
    return Optional.of(
        new OnnxModule(
            new ModuleDescription(
                names.of(node),
                types(graph, node, weights),
                false,
                found.stream().map(ModuleTensor::description).toList()),
            graph,
            node));
  }

  private boolean hasParameters(Graph graph, Node node, boolean codes) {
    return node.inputs().stream()
        .flatMap(input -> constants.of(graph, input).stream())
        .anyMatch(value -> !value.dims().isEmpty() && (codes || isFloat(value)));
  }

  private static boolean isFloat(ConstantValue value) {
    return value.type().elementType().filter(ElementType::isFloatingPoint).isPresent();
  }

  /** The weights of a node, stored or not, by input. */
  private Map<Integer, ConstantValue> weightValues(Graph graph, Node node) {
    Map<Integer, ConstantValue> weights = new LinkedHashMap<>();
    for (int input : WeightInputs.of(node)) {
      if (weights.isEmpty() || WeightInputs.isRecurrent(node)) {
        constants
            .of(graph, node.input(input))
            .filter(value -> isFloat(value) || value.quantized())
            .filter(value -> value.type().elementType().isPresent())
            .filter(value -> WeightInputs.fits(node, value.dims().size()))
            .ifPresent(value -> weights.put(input, value));
      }
    }
    return weights;
  }

  /** The stored weights of a node that can be quantized; several for recurrent operators. */
  public static List<Weight> weights(Graph graph, Node node) {
    List<Weight> weights = new ArrayList<>();
    for (int input : WeightInputs.of(node)) {
      if (weights.isEmpty() || WeightInputs.isRecurrent(node)) {
        graph
            .constant(node.input(input))
            .flatMap(Initializer::tensor)
            .filter(tensor -> tensor.type().floatType().isPresent())
            .filter(tensor -> WeightInputs.fits(node, tensor.dims().size()))
            .map(
                tensor ->
                    new Weight(
                        input, WeightInputs.channelAxis(node, input, tensor.dims().size()), tensor))
            .ifPresent(weights::add);
      }
    }
    return weights;
  }

  /**
   * The inputs of a node that may hold a weight which can be quantized: all of them for recurrent
   * operators, for others the first that is constant.
   */
  public static List<Integer> weightInputs(Node node) {
    return WeightInputs.of(node);
  }

  /** Whether a constant of a node with so many dimensions is a weight. */
  public static boolean isWeight(Node node, int dimensions) {
    return WeightInputs.fits(node, dimensions);
  }

  /** Whether an operator reads weights at several inputs. */
  public static boolean isRecurrent(Node node) {
    return WeightInputs.isRecurrent(node);
  }

  private List<ModuleTensor> tensors(Graph graph, Node node, Map<Integer, ConstantValue> weights) {
    List<ModuleTensor> tensors = new ArrayList<>();
    for (int i = 0; i < node.inputs().size(); i++) {
      String input = node.inputs().get(i);
      ConstantValue weight = weights.get(i);
      String local = localName(node, weights, i);
      if (weight != null) {
        tensors.add(ConstantTensors.open(graph, input, local, weight));
        if (weight.quantized()) {
          scale(graph, input).ifPresent(tensors::add);
        }
      } else {
        constants
            .of(graph, input)
            .filter(OnnxModules::isFloat)
            .ifPresent(value -> tensors.add(ConstantTensors.open(graph, input, local, value)));
      }
    }
    return tensors;
  }

  private List<ModuleTensor> tensors(Graph graph, Node node, Quantized quantized) {
    List<ModuleTensor> tensors = new ArrayList<>();
    for (int i = 0; i < node.inputs().size(); i++) {
      String local =
          i == quantized.codes()
              ? "weight"
              : i == quantized.scale() ? SCALE : i == quantized.bias() ? "bias" : "input" + i;
      boolean isNamed = !local.startsWith("input");
      String input = node.inputs().get(i);
      constants
          .of(graph, input)
          .filter(value -> value.type().elementType().isPresent())
          .filter(value -> isNamed || (isFloat(value) && !value.dims().isEmpty()))
          .ifPresent(value -> tensors.add(ConstantTensors.open(graph, input, local, value)));
    }
    return tensors;
  }

  /** The scale behind which a value was quantized before. */
  private Optional<ModuleTensor> scale(Graph graph, String value) {
    Graph home = graph.home(value);
    Node producer = home == null ? null : home.producer(value);
    if (home == null || producer == null) {
      return Optional.empty();
    }
    return producer.is("DequantizeLinear")
        ? constants
            .of(home, producer.input(1))
            .filter(OnnxModules::isFloat)
            .map(scale -> ConstantTensors.open(home, producer.input(1), SCALE, scale))
        : scale(home, producer.input(0));
  }

  private static String localName(Node node, Map<Integer, ConstantValue> weights, int input) {
    if (!weights.isEmpty() && !WeightInputs.isRecurrent(node)) {
      return weights.containsKey(input) ? "weight" : "bias";
    }
    return switch (node.opType()) {
      case "LSTM", "GRU", "RNN" ->
          switch (input) {
            case 1 -> "weight_ih";
            case 2 -> "weight_hh";
            case 3 -> "bias";
            default -> "input" + input;
          };
      case "BatchNormalization" ->
          switch (input) {
            case 1 -> "weight";
            case 2 -> "bias";
            case 3 -> "running_mean";
            case 4 -> "running_var";
            default -> "input" + input;
          };
      default -> input == 1 ? "weight" : input == 2 ? "bias" : "input" + input;
    };
  }

  private List<String> types(Graph graph, Node node, Map<Integer, ConstantValue> weights) {
    Set<String> types = new LinkedHashSet<>();
    types.add(node.opType());
    node.metadata(CLASS_HIERARCHY)
        .map(NodeNames::quoted)
        .filter(classes -> classes.size() >= 2)
        .map(classes -> classes.get(classes.size() - 2))
        .ifPresent(name -> types.add(name.substring(name.lastIndexOf('.') + 1)));
    Quantized quantized = QUANTIZED.get(node.opType());
    if (quantized != null) {
      types.add(
          quantized.type().equals("Conv")
              ? constants
                  .of(graph, node.input(quantized.codes()))
                  .map(codes -> convolution("Conv", codes))
                  .orElse("")
              : quantized.type());
      types.remove("");
    } else if (weights.isEmpty() || WeightInputs.isRecurrent(node)) {
      types.addAll(OTHERS.getOrDefault(node.opType(), List.of()));
    } else {
      ConstantValue weight = weights.values().iterator().next();
      types.add(
          switch (node.opType()) {
            case "Conv", "ConvTranspose" -> convolution(node.opType(), weight);
            case "Gather" -> "Embedding";
            default -> "Linear";
          });
    }
    return List.copyOf(types);
  }

  private static String convolution(String kind, ConstantValue weight) {
    return "%s%sd".formatted(kind, weight.dims().size() - 2);
  }
}
