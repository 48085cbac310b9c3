package dev.kvant.readers.text;

import dev.kvant.api.DataException;
import dev.kvant.spi.RegularFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The lines of a file in UTF-8, counted; a byte order mark at its start is left out. */
final class TextLines implements AutoCloseable {

  private final Path file;
  private final BufferedReader reader;
  private long line;

  TextLines(Path file) throws IOException {
    this.file = file;
    this.reader = RegularFile.text(file);
  }

  /**
   * The next line; null at the end.
   *
   * @throws DataException if it is not UTF-8
   */
  @Nullable String next() throws IOException {
    String text;
    try {
      text = reader.readLine();
    } catch (CharacterCodingException e) {
      throw new DataException("%s is not in UTF-8 (after line %d)".formatted(file, line), e);
    }
    line++;
    return line == 1 && text != null && text.startsWith("\uFEFF") ? text.substring(1) : text;
  }

  /** Where the line is that was read last, for errors. */
  String place() {
    return "line %d of %s".formatted(line, file);
  }

  Path file() {
    return file;
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
