package dev.kvant.api;

import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The superclass of all exceptions that Kvant throws. Messages are written for people. They are one
 * line, in which {@link Printable} has escaped what names from files may contain; only that of an
 * {@link InvalidConfigurationException} has a line for each problem.
 *
 * @since 0.1.0
 */
public class KvantException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message, which includes what to do. */
  public KvantException(String message) {
    this(message, null);
  }

  /** Creates the exception with a message and its cause. */
  public KvantException(String message, @Nullable Throwable cause) {
    this(List.of(message), cause);
  }

  /** Creates the exception with a message of several lines. */
  KvantException(List<String> lines, @Nullable Throwable cause) {
    super(
        lines.stream()
            .map(line -> Printable.of(line.strip()))
            .collect(Collectors.joining(System.lineSeparator())),
        cause);
  }

  /** The message, which is never null. */
  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage(), "message");
  }
}
