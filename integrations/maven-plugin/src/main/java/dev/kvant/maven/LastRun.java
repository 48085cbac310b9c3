package dev.kvant.maven;

import dev.kvant.api.KvantException;
import dev.kvant.spi.ArtifactTransaction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the last successful run in a folder depended on and wrote.
 *
 * @param inputs the hash of everything that the result depends on
 * @param outputs the written files, in order
 */
record LastRun(String inputs, List<Path> outputs) {

  /** Where it is kept, in the folder of the artifacts. */
  static final String FILE = ".kvant-inputs";

  private static final String INPUTS = "inputs ";

  /** Between the hash of an output and its path. */
  private static final char SPACE = ' ';

  LastRun {
    outputs = List.copyOf(outputs);
  }

  /**
   * Whether the files that are in a folder came from those inputs and were not touched since.
   *
   * @return the run, or null if there is none, or it does not fit
   */
  static @org.jspecify.annotations.Nullable LastRun matching(String inputs, Path folder) {
    try {
      List<String> lines = Files.readAllLines(folder.resolve(FILE));
      if (lines.isEmpty() || !lines.get(0).equals(INPUTS + inputs)) {
        return null;
      }
      List<Path> outputs = new ArrayList<>();
      for (String line : lines.subList(1, lines.size())) {
        int space = line.indexOf(SPACE);
        Path output = folder.resolve(line.substring(space + 1));
        if (space < 0 || !Fingerprint.of(output).equals(line.substring(0, space))) {
          return null;
        }
        outputs.add(output);
      }
      return new LastRun(inputs, outputs);
    } catch (IOException | RuntimeException e) {
      // Whatever cannot be read is made again.
      return null;
    }
  }

  /**
   * Notes it.
   *
   * @throws KvantException if it cannot be written
   */
  void write(Path folder) {
    StringBuilder text = new StringBuilder(INPUTS).append(inputs).append('\n');
    try (var transaction = ArtifactTransaction.begin(folder)) {
      for (Path output : outputs) {
        text.append(Fingerprint.of(output))
            .append(SPACE)
            .append(folder.toAbsolutePath().relativize(output.toAbsolutePath()))
            .append('\n');
      }
      Files.writeString(transaction.create(FILE), text);
      transaction.commit();
    } catch (IOException e) {
      throw new KvantException(
          "%s cannot be written: %s".formatted(folder.resolve(FILE), e.getMessage()), e);
    }
  }
}
