package dev.kvant.cli;

import dev.kvant.api.KvantException;
import dev.kvant.report.JsonDocument;
import dev.kvant.report.SpecFile;
import dev.kvant.spi.RegularFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The file of all that 'tune' tried, beside the best artifact. */
final class TuningFile {

  /** The first field, which tells the file from those of others. */
  static final String WRITTEN_BY = "written_by";

  /** The value of the first field. */
  static final String WRITER = "kvant tune";

  /** Its name. */
  static final String NAME = "tuning.json";

  /** How such a file begins, without white space. */
  private static final String BEGINNING =
      "{\"%s\":\"%s\"".formatted(WRITTEN_BY, WRITER).replace(" ", "");

  private final Path file;

  private TuningFile(Path file) {
    this.file = file;
  }

  /**
   * The file in the folder of the artifact.
   *
   * @throws KvantException if somebody else wrote one there
   */
  static TuningFile beside(Path artifacts) {
    Path file = artifacts.resolve(NAME);
    if (Files.exists(file) && !beginning(file).startsWith(BEGINNING)) {
      throw new KvantException(
          "%s exists and was not written by 'kvant tune'; move it, or give another folder with --out"
              .formatted(file));
    }
    return new TuningFile(file);
  }

  private static String beginning(Path file) {
    char[] characters = new char[2 * BEGINNING.length()];
    try (BufferedReader reader = RegularFile.text(file)) {
      int count = Math.max(0, reader.read(characters));
      return new String(characters, 0, count).replaceAll("\\s", "");
    } catch (IOException e) {
      return "";
    }
  }

  /**
   * Writes it, whole or not at all.
   *
   * @param tried begins with the field {@link #WRITTEN_BY}
   * @throws KvantException if it cannot be written
   */
  void write(JsonDocument tried) {
    SpecFile.at(file).write(tried.json() + "\n");
  }
}
