package dev.kvant.cli.output;

import dev.kvant.api.Printable;
import dev.kvant.cli.output.Table.Cell;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A stream of text with the abilities of its reader.
 *
 * @param writer receives the text
 * @param interactive whether it is a terminal, where a line can be overwritten
 * @param coloured whether it shows colors
 * @param unicode whether its character set has more than ASCII
 * @param columns the maximum number of characters in a line; {@link #UNLIMITED} if lines are not
 *     wrapped
 * @since 0.1.0
 */
public record Screen(
    PrintWriter writer, boolean interactive, boolean coloured, boolean unicode, int columns) {

  /** The width of a file or a pipe. */
  public static final int UNLIMITED = Integer.MAX_VALUE;

  public Screen {
    Objects.requireNonNull(writer, "writer");
    if (columns < 1) {
      throw new IllegalArgumentException("columns: must be at least 1, was " + columns);
    }
  }

  /** The text in that style, or unchanged without colors. */
  String styled(Style style, String text) {
    return coloured ? style.apply(text) : text;
  }

  /** The first text if the reader can show it, otherwise the second, which is ASCII. */
  public String symbol(String unicodeText, String asciiText) {
    return unicode ? unicodeText : asciiText;
  }

  /** Prints one line; {@link Printable} escapes each control character in it. */
  public void line(String text) {
    unchecked(Printable.of(text));
  }

  /** Prints texts in their styles, side by side on one line. */
  public void line(Cell... texts) {
    var line = new StringBuilder();
    for (Cell text : texts) {
      line.append(styled(text.style(), text.text()));
    }
    unchecked(line.toString());
  }

  /**
   * Prints lines unchanged, with codes that move the cursor or change colors. What they contain
   * must be known.
   */
  public void unchecked(String text) {
    writer.println(text);
  }

  /** Prints an empty line. */
  public void line() {
    writer.println();
  }

  /**
   * Prints a paragraph, wrapped between words.
   *
   * @param lead the text before its first line, without escape sequences
   * @param style the style of the lead
   * @param text the paragraph; {@link Printable} escapes each control character, line breaks
   *     included
   */
  public void paragraph(String lead, Style style, String text) {
    String indent = " ".repeat(length(lead));
    int room = columns == UNLIMITED ? UNLIMITED : Math.max(20, columns - indent.length());
    List<String> lines = wrapped(Printable.of(text.strip()), room);
    for (int i = 0; i < lines.size(); i++) {
      unchecked((i == 0 ? styled(style, lead) : indent) + lines.get(i));
    }
  }

  /** Prints a stack trace, whose messages may contain untrusted names. */
  public void stackTrace(Throwable failure) {
    var trace = new StringWriter();
    failure.printStackTrace(new PrintWriter(trace));
    trace
        .toString()
        .lines()
        .forEach(
            line -> {
              String text = line.stripLeading();
              unchecked("\t".repeat(line.length() - text.length()) + Printable.of(text));
            });
  }

  /** The width of a text on a line, in characters. */
  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /** The lines of a text, wrapped at that width; longer words are kept whole. */
  static List<String> wrapped(String text, int columns) {
    if (length(text) <= columns) {
      return List.of(text);
    }
    List<String> lines = new ArrayList<>();
    var line = new StringBuilder();
    for (String word : text.strip().split(" +", -1)) {
      if (line.length() > 0 && length(line.toString()) + 1 + length(word) > columns) {
        lines.add(line.toString());
        line.setLength(0);
      }
      if (line.length() > 0) {
        line.append(' ');
      }
      line.append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
