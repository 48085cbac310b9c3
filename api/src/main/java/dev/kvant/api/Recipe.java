package dev.kvant.api;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A configuration that is recommended for a model, with its reasons.
 *
 * @param config the configuration
 * @param reason what the model was taken for and why that configuration suits it, in a few
 *     sentences
 * @param comments why a value was chosen, as half a sentence, by its key as a document spells it
 *     within {@code quantize}: {@code algorithm}, {@code backend_kwargs.optimize}; keys without a
 *     comment need no reason
 * @since 0.1.0
 */
public record Recipe(ModelQuantizationConfig config, String reason, Map<String, String> comments) {

  /**
   * Checks and copies the components.
   *
   * @throws NullPointerException if one of them, a key or a comment is null
   */
  public Recipe {
    Objects.requireNonNull(config, "config");
    Objects.requireNonNull(reason, "reason");
    Map<String, String> copy = new LinkedHashMap<>();
    comments.forEach(
        (key, comment) ->
            copy.put(Objects.requireNonNull(key, "key"), Objects.requireNonNull(comment, key)));
    comments = Collections.unmodifiableMap(copy);
  }

  /** The same reasons for a configuration that has been completed. */
  public Recipe with(ModelQuantizationConfig completed) {
    return new Recipe(completed, reason, comments);
  }
}
