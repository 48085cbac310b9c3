package dev.kvant.distribution;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What a process did.
 *
 * @param exitCode how it ended
 * @param out what it wrote to standard output
 * @param err what it wrote to standard error
 */
record Run(int exitCode, String out, String err) {

  private static final long PATIENCE_MINUTES = 5;

  /** A process before it is started: in the root of the sources, where the examples are. */
  static final class Command {

    private final List<String> words = new ArrayList<>();
    private final Map<String, String> environment = new HashMap<>();
    private Path directory = Path.of(System.getProperty("kvant.root"));

    Command(Object... words) {
      for (Object word : words) {
        this.words.add(word.toString());
      }
    }

    Command in(Path folder) {
      this.directory = folder;
      return this;
    }

    Command with(String variable, String value) {
      environment.put(variable, value);
      return this;
    }

    Process start(Path out, Path err) throws IOException {
      var builder =
          new ProcessBuilder(words)
              .directory(directory.toFile())
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectOutput(out.toFile())
              .redirectError(err.toFile());
      builder.environment().keySet().removeAll(List.of("COLUMNS", "NO_COLOR", "KVANT_PLUGINS"));
      builder.environment().put("LC_ALL", "C.UTF-8");
      builder.environment().putAll(environment);
      return builder.start();
    }

    /** Runs it to its end. */
    Run run() throws IOException, InterruptedException {
      Path out = Files.createTempFile("kvant", ".out");
      Path err = Files.createTempFile("kvant", ".err");
      try {
        return finished(start(out, err), out, err);
      } finally {
        Files.delete(out);
        Files.delete(err);
      }
    }
  }

  /** Waits for a process that writes into those files. */
  static Run finished(Process process, Path out, Path err)
      throws IOException, InterruptedException {
    if (!process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("it does not end: " + Files.readString(err));
    }
    return new Run(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  /** Standard output, which must be one JSON document and nothing else. */
  JsonObject json() {
    return JsonParser.parseString(out).getAsJsonObject();
  }
}
