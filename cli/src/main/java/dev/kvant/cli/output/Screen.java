package dev.kvant.cli.output;

import dev.kvant.cli.output.Table.Cell;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A stream of text together with what its reader can show.
 *
 * @param writer where the text goes
 * @param interactive whether a person looks at it on a terminal, where a line can be written over
 * @param coloured whether it shows colours
 * @param unicode whether its character set has more than ASCII
 * @param columns how many characters a line may have; {@link #UNLIMITED} where nothing breaks lines
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

  /** The text in that style, or as it is where colours are not shown. */
  String styled(Style style, String text) {
    return coloured ? style.apply(text) : text;
  }

  /** The first text where the reader can show it, else the second, which is ASCII. */
  public String symbol(String unicodeText, String asciiText) {
    return unicode ? unicodeText : asciiText;
  }

  /** Prints one line; a question mark stands for each control character in it. */
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

  /** Prints one line as it is, with whatever moves a cursor or changes a colour. */
  void unchecked(String text) {
    writer.println(text);
  }

  /** Prints an empty line. */
  public void line() {
    writer.println();
  }

  /**
   * Prints a paragraph, broken between words where it is longer than a line.
   *
   * @param lead what stands before its first line, escape sequences not allowed
   * @param style the style of the lead
   * @param text the paragraph; its own line breaks are kept, a question mark stands for each other
   *     control character
   */
  public void paragraph(String lead, Style style, String text) {
    String indent = " ".repeat(length(lead));
    int room = columns == UNLIMITED ? UNLIMITED : Math.max(20, columns - indent.length());
    List<String> lines = new ArrayList<>();
    text.lines().forEach(line -> lines.addAll(wrapped(Printable.of(line), room)));
    for (int i = 0; i < lines.size(); i++) {
      unchecked((i == 0 ? styled(style, lead) : indent) + lines.get(i));
    }
  }

  /** Prints a stack trace, whose messages may hold names from outside as any other text. */
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

  /** Number of characters that a text takes on a line. */
  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /** The lines of a text that has none longer than that, except for words that are longer. */
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
