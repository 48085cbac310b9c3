package dev.kvant.cli;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Screens;
import dev.kvant.cli.output.Style;
import dev.kvant.report.JsonDocument;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** The whole command line: reads it, runs what it asks for, and says how that went. */
final class Cli {

  private static final int WIDEST_HELP = 100;
  private static final int NARROWEST_HELP = 55;

  private final Screens screens;
  private final Installations installations;

  /**
   * @param screens where to print
   * @param installations where plugins are
   */
  Cli(Screens screens, Installations installations) {
    this.screens = screens;
    this.installations = installations;
  }

  /** Runs one command and returns its exit code; never throws. */
  int run(String... arguments) {
    try {
      return commandLine(arguments).execute(arguments);
    } catch (Error e) {
      new ErrorBlock(screens.err()).print(e, List.of(arguments).contains("--verbose"));
      return ExitCode.FAILED;
    } finally {
      screens.out().writer().flush();
      screens.err().writer().flush();
    }
  }

  private CommandLine commandLine(String... arguments) {
    var line = new CommandLine(new KvantCommand());
    Map<String, Supplier<Subcommand>> subcommands = subcommands();
    // Describing a command takes a while; one that is named first is the only one that runs.
    String first = arguments.length == 0 ? "" : arguments[0];
    if (subcommands.containsKey(first)) {
      subcommands.keySet().retainAll(Set.of(first));
    }
    subcommands.values().forEach(subcommand -> line.addSubcommand(subcommand.get()));
    // An argument that starts with @ is a path like any other.
    line.setExpandAtFiles(false)
        .registerConverter(Format.class, Format::of)
        .registerConverter(Path.class, new PathArgument())
        .setOut(screens.out().writer())
        .setErr(screens.err().writer())
        .setColorScheme(
            CommandLine.Help.defaultColorScheme(screens.out().coloured() ? Ansi.ON : Ansi.OFF))
        .setUsageHelpWidth(helpWidth(screens.out()))
        .setExecutionStrategy(Cli::execute)
        .setParameterExceptionHandler(this::wrongUsage)
        .setExecutionExceptionHandler(this::failed);
    return line;
  }

  private Map<String, Supplier<Subcommand>> subcommands() {
    Map<String, Supplier<Subcommand>> subcommands = new LinkedHashMap<>();
    subcommands.put(QuantizeCommand.NAME, () -> new QuantizeCommand(screens, installations));
    subcommands.put(InitCommand.NAME, () -> new InitCommand(screens, installations));
    subcommands.put(CalibrateCommand.NAME, () -> new CalibrateCommand(screens, installations));
    subcommands.put(PlanCommand.NAME, () -> new PlanCommand(screens, installations));
    subcommands.put(AnalyzeCommand.NAME, () -> new AnalyzeCommand(screens, installations));
    subcommands.put(TuneCommand.NAME, () -> new TuneCommand(screens, installations));
    subcommands.put(EvaluateCommand.NAME, () -> new EvaluateCommand(screens, installations));
    subcommands.put(InspectCommand.NAME, () -> new InspectCommand(screens, installations));
    subcommands.put(VerifyCommand.NAME, () -> new VerifyCommand(screens, installations));
    subcommands.put(ReportCommand.NAME, () -> new ReportCommand(screens, installations));
    subcommands.put(BackendsCommand.NAME, () -> new BackendsCommand(screens, installations));
    return subcommands;
  }

  private static int helpWidth(Screen screen) {
    return Math.max(NARROWEST_HELP, Math.min(WIDEST_HELP, screen.columns()));
  }

  private int wrongUsage(ParameterException e, String[] arguments) {
    Screen err = screens.err();
    err.paragraph(ErrorBlock.LEAD, Style.ERROR, WrongUsage.message(e));
    err.line(
        "'%s --help' explains the command."
            .formatted(e.getCommandLine().getCommandSpec().qualifiedName()));
    return ExitCode.WRONG_INPUT;
  }

  /** Runs the command so that its errors are told like its exceptions. */
  private static int execute(ParseResult parsed) {
    try {
      return new CommandLine.RunLast().execute(parsed);
    } catch (Error e) {
      List<CommandLine> lines = parsed.asCommandLineList();
      throw new ExecutionException(lines.get(lines.size() - 1), String.valueOf(e.getMessage()), e);
    }
  }

  private int failed(Exception thrown, CommandLine line, ParseResult parsed) {
    Throwable failure =
        thrown instanceof ExecutionException && thrown.getCause() != null
            ? thrown.getCause()
            : thrown;
    boolean verbose = false;
    if (line.getCommand() instanceof Subcommand subcommand) {
      verbose = subcommand.isVerbose();
      if (subcommand.isJson()) {
        screens.out().unchecked(errorDocument(failure).json());
      }
    }
    new ErrorBlock(screens.err()).print(failure, verbose);
    return ExitCode.of(failure);
  }

  /** The error for programs, which would otherwise have nothing to read. */
  private static JsonDocument errorDocument(Throwable failure) {
    List<ConfigurationProblem> problems =
        failure instanceof InvalidConfigurationException invalid ? invalid.problems() : List.of();
    return new JsonDocument()
        .put(
            "error",
            new JsonDocument()
                .put("exit_code", ExitCode.of(failure))
                .put("message", ErrorBlock.message(failure))
                .put(
                    "problems",
                    problems.stream()
                        .map(
                            problem ->
                                new JsonDocument()
                                    .put("path", problem.path())
                                    .put("message", problem.message()))
                        .toList()));
  }
}
