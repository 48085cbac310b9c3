package dev.kvant.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command without a subcommand: says what there is. */
@Command(
    name = "kvant",
    description = "Quantizes trained models: smaller files, without Python.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = HelpCommand.class,
    sortOptions = false,
    versionProvider = Version.class,
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = Subcommand.EXIT_CODES_HEADING,
    exitCodeList = {
      Subcommand.EXIT_DONE,
      Subcommand.EXIT_FAILED,
      Subcommand.EXIT_WRONG_INPUT,
      "3:a gate of 'evaluate' was not passed, or 'tune' found nothing within the budget",
      Subcommand.EXIT_REJECTED,
      Subcommand.EXIT_INTERRUPTED
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  kvant quantize model.onnx",
      "  kvant quantize -c examples/digits/torchao-int8.yaml",
      "",
      "'kvant COMMAND --help' explains a command."
    })
final class KvantCommand implements Runnable {

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  @SuppressWarnings("UnusedVariable")
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version.")
  @SuppressWarnings("UnusedVariable")
  private boolean version;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command was given");
  }
}
