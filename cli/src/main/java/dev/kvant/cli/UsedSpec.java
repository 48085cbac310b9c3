package dev.kvant.cli;

import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.report.SpecFile;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.runtime.config.RecipeDocument;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The spec that a command works with.
 *
 * @param document the spec, with all that takes precedence over it
 * @param recipe what it was made of, or null if a user wrote it
 */
record UsedSpec(ConfigDocument document, @Nullable RecipeDocument recipe) {

  /** A spec that a user wrote. */
  static UsedSpec written(ConfigDocument document) {
    return new UsedSpec(document, null);
  }

  /** A spec that was made for a model. */
  static UsedSpec made(RecipeDocument recipe) {
    return new UsedSpec(recipe.document(), recipe);
  }

  /**
   * The spec that was made, to be shown; empty if a user wrote it.
   *
   * @param effective the configuration that the document was read as
   */
  Optional<MadeSpec> made(ModelQuantizationConfig effective) {
    return text(effective).map(text -> new MadeSpec(text, null));
  }

  /**
   * The spec that was made, to be written beside artifacts too; empty if a user wrote it.
   *
   * @param effective the configuration that the document was read as
   * @param directory the folder for the artifacts
   */
  Optional<MadeSpec> made(ModelQuantizationConfig effective, Path directory) {
    return text(effective)
        .map(text -> new MadeSpec(SpecFile.marked(text), SpecFile.beside(directory)));
  }

  private Optional<String> text(ModelQuantizationConfig effective) {
    return Optional.ofNullable(recipe)
        .map(made -> made.text(effective, "as given on the command line"));
  }
}
