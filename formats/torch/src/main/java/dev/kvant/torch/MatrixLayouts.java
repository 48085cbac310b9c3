package dev.kvant.torch;

import dev.kvant.api.TensorDescription;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds out which matrices of a checkpoint are stored as {@code [in, out]}.
 *
 * <p>PyTorch's Linear stores {@code [out, in]}, transformers' Conv1D the opposite. A bias tells
 * them apart, but not beside a square matrix: for that the others of its name are asked, then those
 * of its block, then all. Where these do not agree, nothing is known.
 */
final class MatrixLayouts {

  /** How a matrix is stored. */
  enum Layout {
    /** As Linear stores it. */
    OUT_IN,
    /** As Conv1D stores it. */
    IN_OUT,
    /** Nothing tells, or there is no such matrix. */
    UNKNOWN
  }

  /** What the models of transformers that have Conv1D call theirs. */
  private static final Set<String> CONV1D_NAMES = Set.of("c_attn", "c_fc", "c_proj", "q_attn");

  /** The kinds of models that have them. */
  private static final Set<String> CONV1D_MODELS =
      Set.of("gpt2", "openai-gpt", "imagegpt", "decision_transformer", "clvp");

  private final Map<String, Set<Layout>> layoutsByName = new HashMap<>();
  private final Map<String, Set<Layout>> layoutsByBlock = new HashMap<>();
  private final Set<Layout> layouts = EnumSet.noneOf(Layout.class);
  private final ModelConfig config;

  /**
   * For a model.
   *
   * @param modules the tensors of each module
   */
  MatrixLayouts(Map<String, List<TensorDescription>> modules, ModelConfig config) {
    this.config = config;
    modules.forEach(
        (module, tensors) -> {
          Layout layout = ofBias(tensors);
          if (layout != Layout.UNKNOWN) {
            add(layoutsByName, simpleName(module), layout);
            blocks(module).forEach(block -> add(layoutsByBlock, block, layout));
            layouts.add(layout);
          }
        });
  }

  private static void add(Map<String, Set<Layout>> layouts, String key, Layout layout) {
    layouts.computeIfAbsent(key, any -> EnumSet.noneOf(Layout.class)).add(layout);
  }

  /** How the weight of a module with a bias is stored. */
  Layout of(String module, List<TensorDescription> tensors) {
    Layout layout = ofBias(tensors);
    if (layout != Layout.UNKNOWN || !isSquare(tensors)) {
      return layout;
    }
    List<Set<Layout>> told = new ArrayList<>();
    told.add(layoutsByName.getOrDefault(simpleName(module), Set.of()));
    blocks(module).forEach(block -> told.add(layoutsByBlock.getOrDefault(block, Set.of())));
    told.add(layouts);
    for (Set<Layout> candidates : told) {
      if (!candidates.isEmpty()) {
        return candidates.size() == 1 ? candidates.iterator().next() : Layout.UNKNOWN;
      }
    }
    if (!isNameOfConv1D(module)) {
      return Layout.OUT_IN;
    }
    return config.modelType().map(MatrixLayouts::ofModel).orElse(Layout.UNKNOWN);
  }

  /** Whether transformers gives a Conv1D the name that a module has within its parent. */
  boolean isNameOfConv1D(String module) {
    return CONV1D_NAMES.contains(simpleName(module));
  }

  private static Layout ofModel(String type) {
    return CONV1D_MODELS.contains(type) ? Layout.IN_OUT : Layout.OUT_IN;
  }

  /** What a bias tells that has one value for each output. */
  private static Layout ofBias(List<TensorDescription> tensors) {
    List<Long> weight = shape(tensors, "weight");
    List<Long> bias = shape(tensors, "bias");
    if (weight.size() != 2 || bias.size() != 1 || weight.get(0).equals(weight.get(1))) {
      return Layout.UNKNOWN;
    }
    if (bias.get(0).equals(weight.get(0))) {
      return Layout.OUT_IN;
    }
    return bias.get(0).equals(weight.get(1)) ? Layout.IN_OUT : Layout.UNKNOWN;
  }

  private static boolean isSquare(List<TensorDescription> tensors) {
    List<Long> weight = shape(tensors, "weight");
    List<Long> bias = shape(tensors, "bias");
    return weight.size() == 2
        && bias.size() == 1
        && weight.get(0).equals(weight.get(1))
        && bias.get(0).equals(weight.get(0));
  }

  private static List<Long> shape(List<TensorDescription> tensors, String name) {
    return tensors.stream()
        .filter(tensor -> tensor.name().equals(name))
        .map(TensorDescription::shape)
        .findFirst()
        .orElse(List.of());
  }

  private static String simpleName(String module) {
    return module.substring(module.lastIndexOf('.') + 1);
  }

  /** The names of what a module is part of, the smallest first, whichever of its like it is. */
  private static List<String> blocks(String module) {
    List<String> blocks = new ArrayList<>();
    for (int dot = module.lastIndexOf('.'); dot > 0; dot = module.lastIndexOf('.', dot - 1)) {
      blocks.add(module.substring(0, dot).replaceAll("\\d+", "0"));
    }
    return blocks;
  }
}
