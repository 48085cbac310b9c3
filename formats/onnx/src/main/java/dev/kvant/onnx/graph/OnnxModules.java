package dev.kvant.onnx.graph;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.TensorDescription;
import dev.kvant.onnx.graph.OnnxModule.Weight;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds the nodes of a model that have trained parameters.
 *
 * @since 0.1.0
 */
public final class OnnxModules {

  /** Begins the storage of a weight that a node transposes first. */
  public static final String TRANSPOSED = "transposed ";

  private static final String CLASS_HIERARCHY = "pkg.torch.onnx.class_hierarchy";

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
          Map.entry("QAttention", List.of()),
          Map.entry("EmbedLayerNormalization", List.of()),
          Map.entry("FusedConv", List.of("Conv2d")),
          Map.entry("FusedGemm", List.of("Linear")),
          Map.entry("FusedMatMul", List.of("Linear")),
          Map.entry("MatMulNBits", List.of("Linear")),
          Map.entry("GatherBlockQuantized", List.of("Embedding")));

  private final NodeNames names = new NodeNames();
  private final List<OnnxModule> modules = new ArrayList<>();

  private OnnxModules() {}

  /** All of them, in the order in which they are computed, those of inner graphs in their place. */
  public static List<OnnxModule> of(OnnxModel model) {
    OnnxModules found = new OnnxModules();
    found.collect(model.graph());
    return List.copyOf(found.modules);
  }

  private void collect(Graph graph) {
    for (Node node : graph.nodes()) {
      // Taken by every node, so that a name does not depend on which of its bearers have
      // parameters.
      String name = names.own(graph, node);
      Weight weight = find(graph, node, OnnxModules::computed);
      if (weight != null || (OTHERS.containsKey(node.opType()) && hasParameters(graph, node))) {
        modules.add(new OnnxModule(describe(name, graph, node, weight), graph, node, weight));
      }
      node.subgraphs().values().forEach(this::collect);
    }
  }

  private static boolean hasParameters(Graph graph, Node node) {
    return node.inputs().stream()
        .flatMap(input -> parameter(graph, input).stream())
        .anyMatch(tensor -> !tensor.dims().isEmpty());
  }

  private static Optional<StoredTensor> parameter(Graph graph, String input) {
    return graph
        .constant(input)
        .flatMap(Initializer::tensor)
        .filter(
            tensor -> tensor.type().elementType().filter(ElementType::isFloatingPoint).isPresent());
  }

  /** The constant of a node that can be quantized, or null. */
  public static @Nullable Weight weight(Graph graph, Node node) {
    return find(graph, node, OnnxModules::parameter);
  }

  /** How the constant behind an input is found. */
  @FunctionalInterface
  private interface Source {
    Optional<StoredTensor> of(Graph graph, String input);
  }

  private static @Nullable Weight find(Graph graph, Node node, Source source) {
    if (!node.domain().isEmpty()) {
      return null;
    }
    return switch (node.opType()) {
      case "Conv" -> weight(source.of(graph, node.input(1)), 1, 0);
      case "ConvTranspose" -> weight(source.of(graph, node.input(1)), 1, 1);
      case "Gemm" ->
          weight(source.of(graph, node.input(1)), 1, node.intAttribute("transB", 0) == 0 ? 1 : 0);
      // A vector is no table of rows but a list of numbers.
      case "Gather" ->
          node.intAttribute("axis", 0) == 0
              ? weight(source.of(graph, node.input(0)).filter(OnnxModules::isMatrix), 0, 0)
              : null;
      case "MatMul" -> {
        Weight right = factor(source.of(graph, node.input(1)), 1);
        yield right == null ? factor(source.of(graph, node.input(0)), 0) : right;
      }
      default -> null;
    };
  }

  private static boolean isMatrix(StoredTensor tensor) {
    return tensor.dims().size() >= 2;
  }

  private static @Nullable Weight weight(
      Optional<StoredTensor> tensor, int input, int channelAxis) {
    return tensor.map(each -> new Weight(input, channelAxis, each)).orElse(null);
  }

  /** A matrix that a product multiplies with; its channels are those that the product keeps. */
  private static @Nullable Weight factor(Optional<StoredTensor> tensor, int input) {
    return tensor
        .filter(OnnxModules::isMatrix)
        .map(each -> new Weight(input, each.dims().size() - (input == 1 ? 1 : 2), each))
        .orElse(null);
  }

  /**
   * A constant, or the shape of what is a transposed one before anything is computed, or the codes
   * of a quantized one.
   */
  private static Optional<StoredTensor> computed(Graph graph, String input) {
    Optional<StoredTensor> constant = parameter(graph, input);
    Node producer = constant.isPresent() ? null : producer(graph, input);
    if (producer == null) {
      return constant;
    }
    return switch (producer.opType()) {
      case "Transpose" ->
          parameter(graph, producer.input(0)).map(tensor -> transposed(tensor, producer));
      case "DequantizeLinear" ->
          graph
              .constant(producer.input(0))
              .flatMap(Initializer::tensor)
              .filter(tensor -> tensor.type().elementType().isPresent());
      default -> Optional.empty();
    };
  }

  private static @Nullable Node producer(Graph graph, String input) {
    Graph home = graph.home(input);
    return home == null ? null : home.producer(input);
  }

  private static StoredTensor transposed(StoredTensor tensor, Node transpose) {
    return new StoredTensor(
        tensor.name(), tensor.type(), permuted(tensor.dims(), transpose), tensor.content());
  }

  /** Numbers for each dimension, in the order that a node gives the dimensions. */
  private static List<Long> permuted(List<Long> numbers, Node transpose) {
    List<Long> permuted = new ArrayList<>(numbers);
    List<Long> order = transpose.intsAttribute("perm");
    for (int i = 0; i < permuted.size(); i++) {
      int from = order.isEmpty() ? permuted.size() - 1 - i : Math.toIntExact(order.get(i));
      permuted.set(i, numbers.get(from));
    }
    return permuted;
  }

  private static ModuleDescription describe(
      String name, Graph graph, Node node, @Nullable Weight weight) {
    List<TensorDescription> tensors =
        tensors(graph, node, weight).stream().map(ModuleTensor::description).toList();
    String weightName = weight == null ? "" : weight.tensor().name();
    return new ModuleDescription(
        NodeNames.all(name, node, weightName), types(node, weight), false, tensors);
  }

  /** The tensors of all modules by qualified name, in the order of {@link #of}. */
  public static Map<String, ModelTensor> tensors(OnnxModel model) {
    Map<String, ModelTensor> tensors = new LinkedHashMap<>();
    for (OnnxModule module : of(model)) {
      for (ModuleTensor tensor : tensors(module.graph(), module.node(), module.weight())) {
        for (String name : module.description().names()) {
          tensors.putIfAbsent(name + "." + tensor.description().name(), tensor);
        }
      }
    }
    return tensors;
  }

  private static List<ModuleTensor> tensors(Graph graph, Node node, @Nullable Weight weight) {
    List<ModuleTensor> tensors = new ArrayList<>();
    for (int i = 0; i < node.inputs().size(); i++) {
      String input = node.inputs().get(i);
      String local = localName(node, weight, i);
      (weight != null && i == weight.input()
              ? Optional.of(weight.tensor())
              : parameter(graph, input))
          .ifPresent(
              tensor ->
                  tensors.add(
                      new ModuleTensor(
                          new TensorDescription(
                              local,
                              tensor.type().elementType().orElseThrow(),
                              tensor.dims(),
                              storage(graph, input, tensor)),
                          tensor.content(),
                          strides(graph, input, tensor))));
    }
    return tensors;
  }

  private static List<Long> strides(Graph graph, String input, StoredTensor tensor) {
    Node producer = graph.constant(input).isPresent() ? null : producer(graph, input);
    return producer != null && producer.is("Transpose")
        ? permuted(rowMajor(parameter(graph, producer.input(0)).orElseThrow().dims()), producer)
        : rowMajor(tensor.dims());
  }

  private static List<Long> rowMajor(List<Long> dims) {
    List<Long> strides = new ArrayList<>(dims);
    long stride = 1;
    for (int i = dims.size() - 1; i >= 0; i--) {
      strides.set(i, stride);
      stride *= dims.get(i);
    }
    return strides;
  }

  private static String localName(Node node, @Nullable Weight weight, int input) {
    if (weight != null) {
      return input == weight.input() ? "weight" : "bias";
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

  /** Names a constant within the whole model: equal for all who use it. */
  private static String storage(Graph graph, String input, StoredTensor tensor) {
    String constant = tensor.name();
    Node producer = graph.constant(input).isPresent() ? null : producer(graph, input);
    if (producer != null && producer.is("Transpose")) {
      return TRANSPOSED + storage(graph, constant, tensor);
    }
    for (Graph each = graph; each != null; each = each.parent()) {
      if (each.hasOwnConstant(constant)) {
        return each.place() + constant;
      }
    }
    return constant;
  }

  private static List<String> types(Node node, @Nullable Weight weight) {
    Set<String> types = new LinkedHashSet<>();
    types.add(node.opType());
    node.metadata(CLASS_HIERARCHY)
        .map(NodeNames::quoted)
        .filter(classes -> classes.size() >= 2)
        .map(classes -> classes.get(classes.size() - 2))
        .ifPresent(name -> types.add(name.substring(name.lastIndexOf('.') + 1)));
    if (weight == null) {
      types.addAll(OTHERS.getOrDefault(node.opType(), List.of()));
    } else {
      int dimensions = weight.tensor().dims().size() - 2;
      types.add(
          switch (node.opType()) {
            case "Conv" -> "Conv" + dimensions + "d";
            case "ConvTranspose" -> "ConvTranspose" + dimensions + "d";
            case "Gather" -> "Embedding";
            default -> "Linear";
          });
    }
    return List.copyOf(types);
  }
}
