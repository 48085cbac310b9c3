package dev.kvant.runtime.config;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.ModelQuantizationConfig;
import java.util.List;
import java.util.Objects;

/**
 * What a document says, as far as it could be read.
 *
 * @param config the configuration; where something could not be read, its default
 * @param problems what could not be read, with paths as in the document
 * @param section the path of the section in the document: {@code quantize}, or empty in a document
 *     that is that section alone
 * @since 0.1.0
 */
public record BoundConfig(
    ModelQuantizationConfig config, List<ConfigurationProblem> problems, String section) {

  public BoundConfig {
    Objects.requireNonNull(config, "config");
    problems = List.copyOf(problems);
    Objects.requireNonNull(section, "section");
  }
}
