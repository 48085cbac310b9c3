package dev.kvant.cli;

import dev.kvant.api.QuantizationListener;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Screens;
import dev.kvant.cli.output.Style;
import dev.kvant.report.JsonDocument;
import dev.kvant.runtime.Kvant;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What all subcommands have in common: what they work with, where they print, and how. */
@Command(
    sortOptions = false,
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = Subcommand.EXIT_CODES_HEADING,
    exitCodeList = {Subcommand.EXIT_DONE, Subcommand.EXIT_FAILED, Subcommand.EXIT_WRONG_INPUT},
    footerHeading = "%nExample:%n")
abstract class Subcommand implements Callable<Integer> {

  static final String EXIT_CODES_HEADING = "%nExit codes:%n";
  static final String EXIT_DONE = "0:done";
  static final String EXIT_FAILED = "1:failed; the error says why";
  static final String EXIT_WRONG_INPUT = "2:the command line or the spec is wrong";
  static final String EXIT_REJECTED =
      "4:an artifact is wrong beside its source, and is kept under another name";
  static final String EXIT_INTERRUPTED = "130:interrupted; nothing was left half-written";

  private final Screens screens;
  private final Installations installations;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = "--format",
      order = 90,
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "How to print the result: ${COMPLETION-CANDIDATES}. Default: table.")
  @SuppressWarnings("NullAway.Init")
  private Format format;

  @Option(
      names = "--verbose",
      order = 91,
      description = "Show logs, and the stack trace of an error.")
  private boolean verbose;

  @Option(
      names = {"-h", "--help"},
      order = 92,
      usageHelp = true,
      description = "Show this help.")
  @SuppressWarnings("UnusedVariable")
  private boolean help;

  Subcommand(Screens screens, Installations installations) {
    this.screens = screens;
    this.installations = installations;
  }

  /** Where plugins are. */
  Installations installations() {
    return installations;
  }

  /** Opens Kvant with all plugins, and warns of folders that are not there. */
  Kvant open(QuantizationListener listener) {
    installations.missing().forEach(this::warnOfMissing);
    return installations.open(listener);
  }

  private void warnOfMissing(Path directory) {
    err()
        .paragraph(
            "warning: ",
            Style.WARNING,
            "the folder of plugins %s does not exist; %s"
                .formatted(directory, installations.remedy(directory)));
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
    print(() -> document, table);
  }

  /** Prints the result in the format that was asked for, and makes no other. */
  void print(Supplier<JsonDocument> document, Runnable table) {
    if (isJson()) {
      out().unchecked(document.get().json());
    } else {
      table.run();
    }
  }

  /** Refuses a command line with a problem. */
  void refuse(Optional<String> problem) {
    problem.ifPresent(
        message -> {
          throw wrongUsage(message);
        });
  }

  /** The error that the command line is not right. */
  ParameterException wrongUsage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
