package dev.kvant.api;

import java.util.ArrayList;
import java.util.List;

/**
 * A configuration is invalid. The exception contains all of its problems.
 *
 * @since 0.1.0
 */
public class InvalidConfigurationException extends KvantException {

  private static final long serialVersionUID = 1L;

  /** More than these help nobody who reads them. */
  private static final int MOST_SHOWN = 50;

  private final List<ConfigurationProblem> problems;

  /**
   * Creates the exception with all problems.
   *
   * @throws IllegalArgumentException if there is no problem
   */
  public InvalidConfigurationException(List<ConfigurationProblem> problems) {
    super(shown(problems), null);
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

  /**
   * The problems as lines of text, which the message consists of: at most {@value #MOST_SHOWN} of
   * them, and then how many more there are.
   */
  public List<String> lines() {
    return shown(problems);
  }

  private static List<String> shown(List<ConfigurationProblem> problems) {
    if (problems.isEmpty()) {
      throw new IllegalArgumentException("problems: an invalid configuration has at least one");
    }
    List<String> lines = new ArrayList<>();
    problems.stream().limit(MOST_SHOWN).map(ConfigurationProblem::toString).forEach(lines::add);
    if (problems.size() > MOST_SHOWN) {
      lines.add("and %d more problems".formatted(problems.size() - MOST_SHOWN));
    }
    return lines;
  }
}
