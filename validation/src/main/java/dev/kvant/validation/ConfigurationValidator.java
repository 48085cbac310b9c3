package dev.kvant.validation;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.spi.QuantizationBackend;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks a configuration by its constraints and against what its backend can do.
 *
 * @since 0.1.0
 */
public final class ConfigurationValidator {

  private ConfigurationValidator() {}

  /**
   * Finds all that can be known to be wrong without a model.
   *
   * @param config the configuration
   * @param backend the backend that it names
   */
  public static CheckedConfiguration check(
      ModelQuantizationConfig config, QuantizationBackend backend) {
    List<ConfigurationProblem> problems = new ArrayList<>();
    List<QuantizationWarning> warnings = new ArrayList<>();
    BackendRules rules = new BackendRules(config, backend.descriptor(), problems, warnings);
    ModelQuantizationConfig completed = rules.check();
    if (problems.isEmpty()) {
      problems.addAll(backend.validate(completed));
    }
    return new CheckedConfiguration(completed, problems, warnings);
  }
}
