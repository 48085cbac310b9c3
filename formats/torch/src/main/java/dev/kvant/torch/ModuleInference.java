package dev.kvant.torch;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.TensorDescription;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Finds modules by the names of a state dict's tensors, including the root, whose name is empty.
 */
final class ModuleInference {

  /** Longer than any real name. A hostile name of a million parts would make a million modules. */
  private static final int MAX_NAME = 4096;

  private ModuleInference() {}

  static List<ModuleDescription> modules(
      Path source, Map<String, ? extends StoredTensor> stateDict, ModelConfig config) {
    return modules(source, stateDict, config, module -> Optional.empty());
  }

  /**
   * Where the classes of some modules are known.
   *
   * @param known the simple name of the class of a module, by the module's name
   */
  static List<ModuleDescription> modules(
      Path source,
      Map<String, ? extends StoredTensor> stateDict,
      ModelConfig config,
      Function<String, Optional<String>> known) {
    Map<String, List<TensorDescription>> byModule = new LinkedHashMap<>();
    stateDict.forEach(
        (name, tensor) -> {
          if (name.length() > MAX_NAME) {
            throw new ModelFormatException(
                "%s has a tensor whose name has %d characters; the file is damaged"
                    .formatted(source, name.length()));
          }
          for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
            byModule.computeIfAbsent(name.substring(0, dot), key -> new ArrayList<>());
          }
          int dot = name.lastIndexOf('.');
          byModule
              .computeIfAbsent(name.substring(0, Math.max(dot, 0)), key -> new ArrayList<>())
              .add(Descriptions.of(name.substring(dot + 1), tensor));
        });
    var inference = new TypeInference(byModule, config);
    List<ModuleDescription> modules = new ArrayList<>();
    byModule.forEach(
        (name, tensors) -> {
          Optional<String> type = known.apply(name);
          modules.add(
              new ModuleDescription(
                  List.of(name),
                  type.or(() -> inference.type(name, tensors))
                      .map(Descriptions::types)
                      .orElse(List.of()),
                  type.isEmpty(),
                  tensors));
        });
    return modules;
  }
}
