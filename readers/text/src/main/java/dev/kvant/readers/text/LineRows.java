package dev.kvant.readers.text;

import java.io.IOException;
import java.util.Optional;

/** Each line that is not blank is a text. */
final class LineRows implements TextRows {

  private final TextLines lines;

  LineRows(TextLines lines) {
    this.lines = lines;
  }

  @Override
  public Optional<TextRow> next() throws IOException {
    for (String line = lines.next(); line != null; line = lines.next()) {
      if (!line.isBlank()) {
        return Optional.of(new TextRow(line.strip(), null, 0));
      }
    }
    return Optional.empty();
  }

  @Override
  public boolean isPaired() {
    return false;
  }

  @Override
  public boolean isLabelled() {
    return false;
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
