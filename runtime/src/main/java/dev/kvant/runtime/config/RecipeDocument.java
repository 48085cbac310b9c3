package dev.kvant.runtime.config;

import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Recipe;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A recipe as a document, with the values that a user sets on top of it.
 *
 * @param recipe the recipe, whose configuration has the paths of model, results and data
 * @param document the recipe as a document, with the user's values
 * @param overridden the keys within {@code quantize} that the user has set
 * @since 0.1.0
 */
public record RecipeDocument(Recipe recipe, ConfigDocument document, List<String> overridden) {

  private static final String SECTION = "quantize.";
  private static final String DATA = "calibration.";

  public RecipeDocument {
    Objects.requireNonNull(recipe, "recipe");
    Objects.requireNonNull(document, "document");
    overridden = List.copyOf(overridden);
  }

  /**
   * A recipe with settings.
   *
   * @param settings {@code key=value}, the value in YAML; a key that {@link #isOfSpec} is one of
   *     the document's, any other is a setting of the data reader of the calibration data
   * @throws InvalidConfigurationException with all settings that are not understood
   */
  public static RecipeDocument of(Recipe recipe, List<String> settings) {
    List<String> edits =
        settings.stream().map(each -> isOfSpec(each) ? each : SECTION + DATA + each).toList();
    return new RecipeDocument(
        recipe,
        ConfigDocument.parse(ConfigDocument.write(recipe)).withOverrides(edits),
        edits.stream().map(RecipeDocument::key).toList());
  }

  /** Whether a setting {@code key=value} is one of the document, as it begins with "quantize.". */
  public static boolean isOfSpec(String setting) {
    return setting.startsWith(SECTION);
  }

  /** The key within the section. */
  private static String key(String edit) {
    int end = edit.indexOf('=');
    return edit.substring(SECTION.length(), end < 0 ? edit.length() : end);
  }

  /**
   * The document as a text with a comment on each line.
   *
   * @param effective the configuration that the document was read as
   * @param origin where the user's values come from, as in {@code as given on the command line}
   */
  public String text(ModelQuantizationConfig effective, String origin) {
    Objects.requireNonNull(origin, "origin");
    Map<String, String> comments = new LinkedHashMap<>(recipe.comments());
    overridden.forEach(key -> comments.put(key, origin));
    return ConfigDocument.write(new Recipe(effective, recipe.reason(), comments));
  }
}
