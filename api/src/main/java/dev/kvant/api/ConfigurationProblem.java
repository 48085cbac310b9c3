package dev.kvant.api;

import java.io.Serializable;
import java.util.Objects;

/**
 * One problem of a configuration.
 *
 * @param path the place, in the document's spelling, as in {@code
 *     quantize.layers[2].weights.dtype}; the empty string for the whole
 * @param message the problem, and what to write instead
 * @since 0.1.0
 */
public record ConfigurationProblem(String path, String message) implements Serializable {

  public ConfigurationProblem {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(message, "message");
  }

  /** The problem in one line, escaped by {@link Printable}. */
  @Override
  public String toString() {
    return Printable.of(path.isEmpty() ? message : path + ": " + message);
  }
}
