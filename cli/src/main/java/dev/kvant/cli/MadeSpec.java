package dev.kvant.cli;

import dev.kvant.cli.output.Screen;
import dev.kvant.report.JsonDocument;
import dev.kvant.report.SpecFile;
import org.jspecify.annotations.Nullable;

/**
 * A spec that was made for a model.
 *
 * @param text the spec
 * @param file where to write it, or null if it is only shown
 */
record MadeSpec(String text, @Nullable SpecFile file) {

  /** Writes it, if it has a place. */
  void write() {
    if (file != null) {
      file.write(text);
    }
  }

  /** Prints it before what it led to. */
  void print(Screen screen) {
    text.lines().forEach(screen::line);
    screen.line();
    if (file != null) {
      screen.line("This spec is in %s.".formatted(file.path()));
      screen.line();
    }
  }

  /** Where it is, and the text. */
  JsonDocument document() {
    return new JsonDocument().put("path", file == null ? null : file.path()).put("text", text);
  }
}
