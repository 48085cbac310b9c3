package dev.kvant.cli;

import dev.kvant.validation.NearestNames;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Says what is wrong with a command line, and what may have been meant. */
final class WrongUsage {

  private static final int MOST_SUGGESTIONS = 2;

  private WrongUsage() {}

  /** What is wrong, in one sentence or two. */
  static String message(ParameterException e) {
    if (!(e instanceof UnmatchedArgumentException unmatched)) {
      return String.valueOf(e.getMessage());
    }
    // What comes after the first is mostly its value.
    String written = unmatched.getUnmatched().get(0);
    CommandSpec command = e.getCommandLine().getCommandSpec();
    if (written.startsWith("-")) {
      List<String> known = new ArrayList<>();
      for (OptionSpec option : command.options()) {
        known.addAll(List.of(option.names()));
      }
      String name = written.replaceFirst("=.*", "");
      return "there is no option '%s'%s".formatted(name, suggestion(name, known));
    }
    if (command.parent() == null) {
      return "there is no command '%s'%s"
          .formatted(written, suggestion(written, List.copyOf(command.subcommands().keySet())));
    }
    return "'%s' is one argument too many".formatted(written);
  }

  private static String suggestion(String written, List<String> known) {
    List<String> nearest = NearestNames.of(written, known, MOST_SUGGESTIONS);
    return nearest.isEmpty() ? "" : "; did you mean " + String.join(" or ", nearest) + "?";
  }
}
