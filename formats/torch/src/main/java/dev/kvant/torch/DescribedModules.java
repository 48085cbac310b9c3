package dev.kvant.torch;

import dev.kvant.api.ModuleDescription;
import java.util.List;
import java.util.Optional;

/**
 * The modules of a model, with the root separate from the others.
 *
 * @param root the module without a name, if it owns tensors
 * @param named all others
 */
record DescribedModules(Optional<ModuleDescription> root, List<ModuleDescription> named) {

  static DescribedModules of(List<ModuleDescription> modules) {
    return new DescribedModules(
        modules.stream()
            .filter(module -> module.name().isEmpty() && !module.tensors().isEmpty())
            .findFirst(),
        modules.stream().filter(module -> !module.name().isEmpty()).toList());
  }
}
