package dev.kvant.cli;

import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.KvantException;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Style;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.util.Optional;

/** Tells a person what went wrong, all of it, once. */
final class ErrorBlock {

  /** What every error starts with. */
  static final String LEAD = "error: ";

  private final Screen screen;

  ErrorBlock(Screen screen) {
    this.screen = screen;
  }

  /** Prints what went wrong, with the stack trace if asked for. */
  void print(Throwable failure, boolean stackTrace) {
    Optional<String> shortage = Shortage.of(failure);
    if (shortage.isPresent()) {
      screen.paragraph(LEAD, Style.ERROR, shortage.get());
    } else if (failure instanceof InvalidConfigurationException invalid) {
      problems(invalid);
    } else if (ExitCode.of(failure) == ExitCode.INTERRUPTED) {
      screen.paragraph("interrupted: ", Style.ERROR, "nothing was left half-written");
    } else {
      screen.paragraph(LEAD, Style.ERROR, message(failure));
    }
    if (stackTrace) {
      screen.stackTrace(failure);
    } else if (!isExplained(failure) && ExitCode.of(failure) == ExitCode.FAILED) {
      screen.paragraph(
          "",
          Style.PLAIN,
          "This is a bug in %s; --verbose shows the stack trace.".formatted(Origin.of(failure)));
    }
  }

  private void problems(InvalidConfigurationException invalid) {
    int count = invalid.problems().size();
    if (count > 1) {
      screen.paragraph(LEAD, Style.ERROR, count + " problems in the configuration");
    }
    for (String line : invalid.lines()) {
      screen.paragraph(count > 1 ? "  - " : LEAD, Style.ERROR, line);
    }
  }

  /** What went wrong in words, for errors that have none too. */
  static String message(Throwable failure) {
    Optional<String> shortage = Shortage.of(failure);
    if (shortage.isPresent()) {
      return shortage.get();
    }
    if (failure instanceof InvalidPathException path) {
      return "'%s' cannot be a path here: %s".formatted(path.getInput(), path.getReason());
    }
    if (failure instanceof UncheckedIOException && failure.getCause() != null) {
      return failure.getMessage() + ": " + fileMessage(failure.getCause());
    }
    if (failure instanceof KvantException && failure.getMessage() != null) {
      return failure.getMessage();
    }
    return fileMessage(failure);
  }

  private static String fileMessage(Throwable failure) {
    String message = failure.getMessage();
    if (message == null) {
      return failure.getClass().getSimpleName();
    }
    // These name nothing but the file; their class says what is the matter with it.
    boolean bare = failure instanceof FileSystemException file && file.getReason() == null;
    return bare || !isExplained(failure)
        ? failure.getClass().getSimpleName() + ": " + message
        : message;
  }

  private static boolean isExplained(Throwable failure) {
    return failure instanceof KvantException
        || Shortage.of(failure).isPresent()
        || failure instanceof InvalidPathException
        || failure instanceof UncheckedIOException
        || failure instanceof IOException;
  }
}
