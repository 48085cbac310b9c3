package dev.kvant.cli;

import dev.kvant.cli.output.JsonDocument;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Screens;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What all subcommands have in common: where they print, and how. */
abstract class Subcommand implements Callable<Integer> {

  static final String EXIT_CODES_HEADING = "%nExit codes:%n";
  static final String EXIT_DONE = "0:done";
  static final String EXIT_FAILED = "1:failed; the error says why";
  static final String EXIT_WRONG_INPUT = "2:the command line or the spec is wrong";
  static final String EXIT_INTERRUPTED = "130:interrupted; nothing was left half-written";

  private final Screens screens;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "How to print the result: ${COMPLETION-CANDIDATES}. Default: table.")
  @SuppressWarnings("NullAway.Init")
  private Format format;

  @Option(names = "--verbose", description = "Show logs, and the stack trace of an error.")
  private boolean verbose;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  @SuppressWarnings("UnusedVariable")
  private boolean help;

  Subcommand(Screens screens) {
    this.screens = screens;
  }

  /** Where the result goes. */
  Screen out() {
    return screens.out();
  }

  /** Where progress, warnings and errors go. */
  Screen err() {
    return screens.err();
  }

  boolean isVerbose() {
    return verbose;
  }

  boolean isJson() {
    return format == Format.JSON;
  }

  /** Prints the result in the format that was asked for. */
  void print(JsonDocument document, Runnable table) {
    if (isJson()) {
      document.print(out());
    } else {
      table.run();
    }
  }

  /** The error that the command line is not right. */
  ParameterException wrongUsage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
