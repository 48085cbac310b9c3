package dev.kvant.cli;

import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.QuantizationCancelledException;

/** What the process says to who started it. */
final class ExitCode {

  /** Done. */
  static final int DONE = 0;

  /** Something went wrong that the command line and the spec are not to blame for. */
  static final int FAILED = 1;

  /** The command line or the spec is wrong. */
  static final int WRONG_INPUT = 2;

  /** A gate of {@code evaluate} was not passed, or {@code tune} found nothing within the budget. */
  static final int GATE_FAILED = 3;

  /** An artifact did not pass its verification. */
  static final int REJECTED = 4;

  /** Interrupted by Ctrl-C; the shell's own number for that. */
  static final int INTERRUPTED = 130;

  private ExitCode() {}

  /** The code for an execution that ended with that. */
  static int of(Throwable failure) {
    if (failure instanceof InvalidConfigurationException) {
      // What seems to be missing from the spec may be there, and could not be opened.
      return Shortage.of(failure).isPresent() ? FAILED : WRONG_INPUT;
    }
    // What an interrupt meets in the middle of reading a file is another exception.
    return failure instanceof QuantizationCancelledException
            || Thread.currentThread().isInterrupted()
        ? INTERRUPTED
        : FAILED;
  }
}
