package dev.kvant.torch;

import dev.kvant.api.TensorDescription;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Infers the classes of modules from the names and shapes of their tensors. A class that the
 * tensors do not show stays unknown.
 */
final class TypeInference {

  /** What transformers calls a Linear whose weight is stored the other way round. */
  private static final String CONV1D = "Conv1D";

  private static final Pattern EMBEDDING =
      Pattern.compile(
          "(?!.*(proj|_out)).*embed.*|.*_emb|emb|wte|wpe|shared|tok(en)?s?|pos(ition)?s?");
  private static final Pattern TRANSPOSED = Pattern.compile(".*(transpose|deconv).*");
  private static final Pattern GROUP_NORM = Pattern.compile("gn\\d*|.*group_?norm.*");
  private static final Pattern RMS_NORM = Pattern.compile(".*norm.*|ln(_\\w+)?");

  private final Map<String, List<Long>> weights = new HashMap<>();
  private final Set<String> attentionModules = new HashSet<>();
  private final int usualDimensions;
  private final MatrixLayouts layouts;

  /**
   * For a model.
   *
   * @param modules the tensors of each module
   * @param config what the file beside them says of the model
   */
  TypeInference(Map<String, List<TensorDescription>> modules, ModelConfig config) {
    this.layouts = new MatrixLayouts(modules, config);
    modules.forEach(
        (module, tensors) ->
            tensors.stream()
                .filter(tensor -> tensor.name().equals("weight"))
                .forEach(tensor -> weights.put(module, tensor.shape())));
    modules.forEach(
        (module, tensors) -> {
          Set<String> names =
              tensors.stream().map(TensorDescription::name).collect(Collectors.toSet());
          if (names.contains("in_proj_weight")
              || (names.contains("q_proj_weight") && names.contains("k_proj_weight"))) {
            attentionModules.add(module);
          }
        });
    this.usualDimensions =
        weights.values().stream()
            .filter(TypeInference::isConvolution)
            .collect(Collectors.groupingBy(List::size, Collectors.counting()))
            .entrySet()
            .stream()
            .max(Map.Entry.comparingByValue())
            .map(entry -> entry.getKey() - 2)
            .orElse(1);
  }

  private static boolean isConvolution(List<Long> weight) {
    return weight.size() >= 3 && weight.size() <= 5;
  }

  /** The class name of a module, if its tensors show it. */
  Optional<String> type(String module, List<TensorDescription> tensors) {
    Map<String, TensorDescription> byName =
        tensors.stream().collect(Collectors.toMap(TensorDescription::name, Function.identity()));
    if (byName.containsKey("_amax")) {
      return Optional.of("TensorQuantizer");
    }
    if (attentionModules.contains(module)) {
      return Optional.of("MultiheadAttention");
    }
    if (module.endsWith(".out_proj")
        && attentionModules.contains(module.substring(0, module.lastIndexOf('.')))) {
      return Optional.of(Descriptions.ATTENTION_OUTPUT);
    }
    if (byName.containsKey("weight_ih_l0")) {
      return recurrent(byName, "_l0", "");
    }
    if (byName.containsKey("weight_ih")) {
      return recurrent(byName, "", "Cell");
    }
    TensorDescription mean = byName.get("running_mean");
    if (mean != null && mean.shape().size() == 1) {
      return Optional.of("BatchNorm%sd".formatted(dimensions(module, mean.shape().get(0))));
    }
    TensorDescription weight = byName.get("weight");
    if (weight == null || !weight.elementType().isFloatingPoint()) {
      return Optional.empty();
    }
    TensorDescription bias = byName.get("bias");
    if (bias != null && weight.shape().size() == 2 && bias.shape().size() == 1) {
      return switch (layouts.of(module, tensors)) {
        case OUT_IN -> Optional.of("Linear");
        case IN_OUT -> layouts.isNameOfConv1D(module) ? Optional.of(CONV1D) : Optional.empty();
        case UNKNOWN -> Optional.empty();
      };
    }
    return byShape(
        module.substring(module.lastIndexOf('.') + 1),
        weight.shape(),
        bias == null ? null : bias.shape());
  }

  private static Optional<String> byShape(
      String name, List<Long> weight, @Nullable List<Long> bias) {
    if (weight.isEmpty() || weight.size() > 5) {
      return Optional.empty();
    }
    if (weight.equals(bias)) {
      return Optional.of(GROUP_NORM.matcher(name).matches() ? "GroupNorm" : "LayerNorm");
    }
    boolean fits = bias == null || bias.equals(weight.subList(0, 1));
    if (isConvolution(weight)) {
      boolean fitsTransposed = bias == null || hasBiasByOutput(weight, bias);
      boolean transposed = fitsTransposed && (TRANSPOSED.matcher(name).matches() || !fits);
      return fits || transposed
          ? Optional.of("Conv%s%sd".formatted(transposed ? "Transpose" : "", weight.size() - 2))
          : Optional.empty();
    }
    if (weight.size() == 1) {
      return bias == null && RMS_NORM.matcher(name).matches()
          ? Optional.of("RMSNorm")
          : Optional.empty();
    }
    if (bias == null && EMBEDDING.matcher(name).matches()) {
      return Optional.of("Embedding");
    }
    return fits ? Optional.of("Linear") : Optional.empty();
  }

  /** A transposed convolution has a bias for each output: dimension 1 times the groups. */
  private static boolean hasBiasByOutput(List<Long> weight, List<Long> bias) {
    return bias.size() == 1 && weight.get(1) > 0 && bias.get(0) % weight.get(1) == 0;
  }

  /** LSTM, GRU and RNN stack 4, 3 and 1 matrices with one row for each hidden value. */
  private static Optional<String> recurrent(
      Map<String, TensorDescription> tensors, String suffix, String kind) {
    if (tensors.containsKey("weight_hr" + suffix)) {
      return Optional.of("LSTM");
    }
    TensorDescription input = tensors.get("weight_ih" + suffix);
    TensorDescription hidden = tensors.get("weight_hh" + suffix);
    if (input == null
        || hidden == null
        || input.shape().size() != 2
        || hidden.shape().size() != 2) {
      return Optional.empty();
    }
    for (Map.Entry<String, Long> gates : Map.of("LSTM", 4L, "GRU", 3L, "RNN", 1L).entrySet()) {
      // A division, because the product of a hostile shape overflows.
      if (hidden.shape().get(1) > 0
          && input.shape().get(0) % gates.getValue() == 0
          && input.shape().get(0) / gates.getValue() == hidden.shape().get(1)) {
        return Optional.of(gates.getKey() + kind);
      }
    }
    return Optional.empty();
  }

  /**
   * The number of dimensions of a batch norm: that of its sibling with as many channels, or
   * otherwise that of most convolutions of the model.
   */
  private int dimensions(String module, long channels) {
    String siblings = module.substring(0, module.lastIndexOf('.') + 1);
    OptionalInt sibling =
        weights.entrySet().stream()
            .filter(
                entry ->
                    entry.getKey().startsWith(siblings)
                        && entry.getKey().indexOf('.', siblings.length()) < 0
                        && entry.getValue().size() >= 2
                        && entry.getValue().get(0) == channels)
            .mapToInt(entry -> Math.max(1, entry.getValue().size() - 2))
            .max();
    return sibling.orElse(usualDimensions);
  }
}
