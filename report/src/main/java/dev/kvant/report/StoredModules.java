package dev.kvant.report;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.TensorDescription;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a model file holds for the modules of a plan.
 *
 * @since 0.1.0
 */
public final class StoredModules {

  private final Map<String, ModuleDescription> byName;

  public StoredModules(List<ModuleDescription> modules) {
    this.byName =
        modules.stream()
            .collect(Collectors.toMap(ModuleDescription::name, Function.identity(), (a, b) -> a));
  }

  /** The element type of the module's weight, or of the first tensor that could be one. */
  public Optional<ElementType> elementType(String module) {
    return Optional.ofNullable(byName.get(module)).stream()
        .flatMap(found -> Stream.concat(found.weight().stream(), found.tensors().stream()))
        .map(TensorDescription::elementType)
        .filter(ElementType::isFloatingPoint)
        .findFirst();
  }

  /** The size of the module's own tensors. */
  public Optional<Long> bytes(String module) {
    return Optional.ofNullable(byName.get(module))
        .map(found -> found.tensors().stream().mapToLong(TensorDescription::bytes).sum());
  }
}
