package dev.kvant.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Screens;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;

/**
 * What a command did that was run in process.
 *
 * @param exitCode how it ended
 * @param out what it printed as its result
 * @param err what else it printed
 */
record Session(int exitCode, String out, String err) {

  /** Runs a command whose output goes into files. */
  static Session run(String... arguments) {
    return run(new Installations(List.of()), Screen.UNLIMITED, arguments);
  }

  /** Runs a command with plugins, on lines of that length. */
  static Session run(Installations installations, int columns, String... arguments) {
    var out = new StringWriter();
    var err = new StringWriter();
    var screens =
        new Screens(
            new Screen(new PrintWriter(out), false, false, true, columns),
            new Screen(new PrintWriter(err), false, false, true, columns));
    int exitCode = new Cli(screens, installations).run(arguments);
    return new Session(exitCode, out.toString(), err.toString());
  }

  /** The result, which must be one JSON document and nothing else. */
  JsonObject json() {
    return JsonParser.parseString(out).getAsJsonObject();
  }
}
