package dev.kvant.torch;

import dev.kvant.api.ModuleDescription;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The modules of a model, with the root separate from the others.
 *
 * <p>A root that alone has weights is a layer like any other, as in a file that holds one Linear.
 * It gets a name, so that rules can reach it.
 *
 * @param root the module without a name, if it owns tensors
 * @param named all others
 */
record DescribedModules(Optional<ModuleDescription> root, List<ModuleDescription> named) {

  static DescribedModules of(List<ModuleDescription> modules) {
    Optional<ModuleDescription> root =
        modules.stream()
            .filter(module -> module.name().isEmpty() && !module.tensors().isEmpty())
            .findFirst();
    List<ModuleDescription> named =
        modules.stream().filter(module -> !module.name().isEmpty()).toList();
    boolean isLayer =
        root.map(DescribedModules::isLayer).orElse(false)
            && named.stream().noneMatch(ModuleDescription::hasWeights);
    return isLayer
        ? new DescribedModules(
            Optional.empty(),
            Stream.concat(root.stream().map(DescribedModules::named), named.stream()).toList())
        : new DescribedModules(root, named);
  }

  /** Whether a root has weights and a class, or those that layers have. */
  private static boolean isLayer(ModuleDescription root) {
    return root.hasWeights()
        && (!root.types().isEmpty()
            || root.weight().isPresent()
            || ComputedWeight.reason(root).isPresent());
  }

  private static ModuleDescription named(ModuleDescription root) {
    return new ModuleDescription(
        List.of(TorchModel.ROOT), root.types(), root.typesInferred(), root.tensors());
  }
}
