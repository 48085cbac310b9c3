package dev.kvant.cli;

import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Recipe;
import dev.kvant.runtime.config.ConfigDocument;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The spec that a command works with.
 *
 * @param document the spec, with all that takes precedence over it
 * @param recipe what it was made of, or null if a user wrote it
 * @param overridden the keys of the section that the command line has set
 */
record UsedSpec(ConfigDocument document, @Nullable Recipe recipe, List<String> overridden) {

  UsedSpec {
    overridden = List.copyOf(overridden);
  }

  /** A spec that a user wrote. */
  static UsedSpec written(ConfigDocument document) {
    return new UsedSpec(document, null, List.of());
  }

  /**
   * The spec that was made, to be shown; empty if a user wrote it.
   *
   * @param effective the configuration that the document was read as
   */
  Optional<MadeSpec> made(ModelQuantizationConfig effective) {
    return recipe == null ? Optional.empty() : Optional.of(new MadeSpec(text(effective), null));
  }

  /**
   * The spec that was made, to be written beside artifacts too; empty if a user wrote it.
   *
   * @param effective the configuration that the document was read as
   * @param directory the folder for the artifacts
   */
  Optional<MadeSpec> made(ModelQuantizationConfig effective, Path directory) {
    return recipe == null
        ? Optional.empty()
        : Optional.of(new MadeSpec(SpecFile.marked(text(effective)), SpecFile.beside(directory)));
  }

  private String text(ModelQuantizationConfig effective) {
    Recipe made = Objects.requireNonNull(recipe);
    Map<String, String> comments = new LinkedHashMap<>(made.comments());
    overridden.forEach(key -> comments.put(key, "as given on the command line"));
    return ConfigDocument.write(new Recipe(effective, made.reason(), comments));
  }
}
