package dev.kvant.distribution;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("The pages to start with")
class StartPagesIT {

  private static final Path ROOT = Path.of(System.getProperty("kvant.root")).normalize();
  private static final Path DIGITS = ROOT.resolve("examples/digits");

  private static final Pattern DECIBELS = Pattern.compile("([0-9.]+) dB");

  @TempDir private Path folder;

  @Test
  void show_what_the_commands_for_a_classifier_print() throws IOException, InterruptedException {
    copy(DIGITS.resolve("images"), folder);
    copy(DIGITS.resolve("models/resnet.onnx"), folder.resolve("resnet.onnx"));

    assertThat(assertRuns("classifier.md")).isEqualTo(2);
  }

  @Test
  void show_what_the_command_for_a_checkpoint_prints() throws IOException, InterruptedException {
    copy(
        DIGITS.resolve("models/transformer.safetensors"),
        folder.resolve("transformer.safetensors"));

    assertThat(assertRuns("checkpoint.md")).isEqualTo(1);
  }

  /** Runs the commands of a page whose model is there, compares what it shows, and counts them. */
  private int assertRuns(String page) throws IOException, InterruptedException {
    int run = 0;
    List<String> lines = Files.readAllLines(ROOT.resolve("docs/start").resolve(page));
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).startsWith("    kvant ")) {
        continue;
      }
      var command = new StringBuilder(lines.get(i).strip());
      while (command.charAt(command.length() - 1) == '\\') {
        command.setLength(command.length() - 1);
        command.append(lines.get(++i).strip());
      }
      List<String> words = new ArrayList<>(List.of(command.toString().split(" +", -1)));
      if (!Files.exists(folder.resolve(words.get(2)))) {
        continue;
      }
      words.set(0, kvant().toString());
      Run done = new Run.Command(words.toArray()).in(folder).with("COLUMNS", "100").run();
      assertThat(done.exitCode()).as(done.err()).isZero();
      int begin = lines.subList(i, lines.size()).indexOf("```") + i + 1;
      int end = lines.subList(begin, lines.size()).indexOf("```") + begin;
      assertThat(compared(done.out().lines()))
          .as(command.toString())
          .containsAll(compared(lines.subList(begin, end).stream()).toList());
      run++;
    }
    return run;
  }

  /**
   * What does not differ between runs on different machines: not the times, not the width that they
   * leave for names, and not the last digits of outputs that are computed in floating point.
   */
  private static Stream<String> compared(Stream<String> lines) {
    return lines
        .map(line -> line.replaceAll("[0-9.]+ ms", "ms"))
        .map(line -> line.replaceAll("\\S*…\\S*", "…"))
        .map(line -> line.replaceAll("(0\\.[0-9]{4})[0-9]{2}\\b", "$1"))
        .map(StartPagesIT::withWholeDecibels)
        .map(line -> line.replaceAll(" +", " ").strip())
        .filter(line -> !line.isEmpty() && !line.startsWith("─") && !line.equals("…"));
  }

  private static String withWholeDecibels(String line) {
    return DECIBELS
        .matcher(line)
        .replaceAll(it -> Math.round(Double.parseDouble(it.group(1))) + " dB");
  }

  private static Path kvant() {
    return Path.of(System.getProperty("kvant.zip")).resolveSibling("kvant/bin/kvant");
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }
}
