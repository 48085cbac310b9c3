package dev.kvant.api;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A configuration is invalid. The exception contains all of its problems.
 *
 * @since 0.1.0
 */
public class InvalidConfigurationException extends KvantException {

  private static final long serialVersionUID = 1L;

  private final List<ConfigurationProblem> problems;

  /**
   * Creates the exception with all problems.
   *
   * @throws IllegalArgumentException if there is no problem
   */
  public InvalidConfigurationException(List<ConfigurationProblem> problems) {
    super(message(problems));
    this.problems = List.copyOf(problems);
  }

  /** Creates the exception with one problem. */
  public InvalidConfigurationException(String path, String message) {
    this(List.of(new ConfigurationProblem(path, message)));
  }

  /** All problems, in the document's order. */
  public List<ConfigurationProblem> problems() {
    return problems;
  }

  private static String message(List<ConfigurationProblem> problems) {
    if (problems.isEmpty()) {
      throw new IllegalArgumentException("problems: an invalid configuration has at least one");
    }
    return problems.stream()
        .map(ConfigurationProblem::toString)
        .collect(Collectors.joining(System.lineSeparator()));
  }
}
