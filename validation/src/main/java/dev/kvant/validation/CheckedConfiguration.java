package dev.kvant.validation;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationWarning;
import java.util.List;
import java.util.Objects;

/**
 * The result of checking a configuration.
 *
 * @param config the configuration with the backend's id and the mode filled in, if they are known
 * @param problems all problems
 * @param warnings settings without effect
 * @since 0.1.0
 */
public record CheckedConfiguration(
    ModelQuantizationConfig config,
    List<ConfigurationProblem> problems,
    List<QuantizationWarning> warnings) {

  public CheckedConfiguration {
    Objects.requireNonNull(config, "config");
    problems = List.copyOf(problems);
    warnings = List.copyOf(warnings);
  }

  /**
   * The configuration, if it can be used.
   *
   * @throws InvalidConfigurationException with all problems, if there are any
   */
  public ModelQuantizationConfig orThrow() {
    if (!problems.isEmpty()) {
      throw new InvalidConfigurationException(problems);
    }
    return config;
  }
}
