package dev.kvant.validation;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.spi.QuantizationBackend;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Checks configurations by their constraints and against the descriptor of their backend.
 * Thread-safe; nothing is loaded before the first check.
 *
 * @since 0.1.0
 */
public final class ConfigurationValidator implements AutoCloseable {

  private @Nullable BeanConstraints constraints;

  /** Creates a validator, which loads nothing yet. */
  public ConfigurationValidator() {}

  /**
   * Finds all problems that can be found without a model.
   *
   * @param config the configuration
   * @param backend the backend that it names, or null if it is unknown
   */
  public CheckedConfiguration check(
      ModelQuantizationConfig config, @Nullable QuantizationBackend backend) {
    return check(config, backend, true);
  }

  /**
   * The same for a configuration of which parts could perhaps not be read.
   *
   * @param config the configuration, with defaults in place of what could not be read
   * @param backend the backend that it names, or null if there is none of that name
   * @param isComplete whether all of it could be read; if not, what holds for it as a whole is not
   *     checked, since it may hold only for the defaults
   */
  public CheckedConfiguration check(
      ModelQuantizationConfig config, @Nullable QuantizationBackend backend, boolean isComplete) {
    List<ConfigurationProblem> problems = new ArrayList<>(constraints().violations(config));
    List<QuantizationWarning> warnings = new ArrayList<>();
    GeneralRules.check(config, problems, warnings);
    if (backend == null) {
      return new CheckedConfiguration(config, problems, warnings);
    }
    BackendRules rules = new BackendRules(config, backend.descriptor(), problems, warnings);
    ModelQuantizationConfig completed = rules.check();
    if (problems.isEmpty() && isComplete) {
      RequestedQuantization.check(completed, problems, warnings);
      problems.addAll(backend.validate(completed));
    }
    return new CheckedConfiguration(completed, problems, warnings);
  }

  private synchronized BeanConstraints constraints() {
    BeanConstraints known = constraints;
    if (known == null) {
      known = new BeanConstraints();
      constraints = known;
    }
    return known;
  }

  /** Releases the resources of the checks. A second call does nothing. */
  @Override
  public synchronized void close() {
    if (constraints != null) {
      constraints.close();
      constraints = null;
    }
  }
}
