package dev.kvant.cli.output;

import dev.kvant.api.Printable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Rows in aligned columns, fitted to the width of a screen.
 *
 * <p>Columns without any content are omitted. If a line is too long, columns shrink according to
 * their {@link Fit}, the widest first. If that is not enough, the line stays too long.
 *
 * @since 0.1.0
 */
public final class Table {

  private static final String GAP = "  ";
  private static final int NARROWEST = 12;

  private final List<Column> columns;
  private final List<List<Cell>> rows = new ArrayList<>();

  private Table(List<Column> columns) {
    this.columns = columns;
  }

  /** A table of those columns, without rows. */
  public static Table of(Column... columns) {
    return new Table(List.of(columns));
  }

  /**
   * Adds a row.
   *
   * @param cells one for each column: a {@link Cell}, or any other object to show as plain text
   * @throws IllegalArgumentException if there are more or fewer cells than columns
   */
  public Table row(Object... cells) {
    if (cells.length != columns.size()) {
      throw new IllegalArgumentException(
          "cells: a row of this table has %d, not %d".formatted(columns.size(), cells.length));
    }
    rows.add(
        Arrays.stream(cells)
            .map(cell -> cell instanceof Cell made ? made : Cell.of(String.valueOf(cell)))
            .toList());
    return this;
  }

  /** Whether the table has no rows. */
  public boolean isEmpty() {
    return rows.isEmpty();
  }

  /** Prints the header, a line and the rows. */
  public void print(Screen screen) {
    print(screen, 0);
  }

  /** Prints the header, a line and the rows, indented by some columns. */
  public void print(Screen screen, int indent) {
    String margin = " ".repeat(indent);
    int[] widths = widths(Math.max(1, screen.columns() - indent));
    screen.unchecked(
        margin + line(screen, widths, 0, columns.stream().map(Column::headerCell).toList()));
    int total = Arrays.stream(widths).filter(width -> width > 0).map(width -> width + 2).sum() - 2;
    screen.unchecked(
        margin + screen.styled(Style.FAINT, screen.symbol("─", "-").repeat(Math.max(total, 1))));
    for (List<Cell> row : rows) {
      int height = height(row, widths);
      for (int i = 0; i < height; i++) {
        screen.unchecked(margin + line(screen, widths, i, row));
      }
    }
  }

  /** The width of each column, 0 for omitted ones. */
  private int[] widths(int limit) {
    int[] widths = new int[columns.size()];
    for (int i = 0; i < widths.length; i++) {
      int column = i;
      int content =
          rows.stream().mapToInt(row -> Screen.length(row.get(column).text())).max().orElse(0);
      widths[i] = content == 0 ? 0 : Math.max(content, Screen.length(columns.get(i).header()));
    }
    shrink(widths, limit, Fit.WRAP);
    shrink(widths, limit, Fit.SHORTEN);
    return widths;
  }

  private void shrink(int[] widths, int limit, Fit fit) {
    while (excess(widths, limit) > 0) {
      int widest = -1;
      for (int i = 0; i < widths.length; i++) {
        if (columns.get(i).fit() == fit
            && widths[i] > NARROWEST
            && (widest < 0 || widths[i] > widths[widest])) {
          widest = i;
        }
      }
      if (widest < 0) {
        return;
      }
      widths[widest]--;
    }
  }

  private static long excess(int[] widths, int limit) {
    long total = -GAP.length();
    for (int width : widths) {
      total += width == 0 ? 0 : width + GAP.length();
    }
    return total - limit;
  }

  private int height(List<Cell> row, int[] widths) {
    int height = 1;
    for (int i = 0; i < widths.length; i++) {
      if (columns.get(i).fit() == Fit.WRAP && widths[i] > 0) {
        height = Math.max(height, Screen.wrapped(row.get(i).text(), widths[i]).size());
      }
    }
    return height;
  }

  /** One line of a row, whose cells may have several. */
  private String line(Screen screen, int[] widths, int index, List<Cell> row) {
    var line = new StringBuilder();
    int pending = 0;
    for (int i = 0; i < widths.length; i++) {
      if (widths[i] == 0) {
        continue;
      }
      String text = fitted(screen, columns.get(i), row.get(i).text(), widths[i], index);
      int padding = Math.max(0, widths[i] - Screen.length(text));
      boolean right = columns.get(i).align() == Align.RIGHT;
      if (!text.isEmpty()) {
        line.append(" ".repeat(pending + (right ? padding : 0)));
        line.append(screen.styled(row.get(i).style(), text));
        pending = 0;
      }
      pending += GAP.length() + (text.isEmpty() ? widths[i] : right ? 0 : padding);
    }
    return line.toString();
  }

  private static String fitted(Screen screen, Column column, String text, int width, int index) {
    if (column.fit() == Fit.WRAP) {
      List<String> lines = Screen.wrapped(text, width);
      return index < lines.size() ? lines.get(index) : "";
    }
    if (index > 0) {
      return "";
    }
    return column.fit() == Fit.SHORTEN ? shortened(screen, text, width) : text;
  }

  /** The text without its middle. Its end remains, which distinguishes most names. */
  static String shortened(Screen screen, String text, int width) {
    if (Screen.length(text) <= width) {
      return text;
    }
    String ellipsis = screen.symbol("…", "..");
    int kept = width - Screen.length(ellipsis);
    int head = kept / 3;
    return text.substring(0, text.offsetByCodePoints(0, head))
        + ellipsis
        + text.substring(text.offsetByCodePoints(text.length(), head - kept));
  }

  /** The alignment of a text in its column. */
  public enum Align {
    LEFT,
    RIGHT
  }

  /** How a column shrinks if a line is too long. */
  public enum Fit {
    /** Not at all. */
    KEEP,
    /** By omitting the middle of its texts. */
    SHORTEN,
    /** By wrapping its texts into several lines. */
    WRAP
  }

  /**
   * The properties of a column.
   *
   * @param header its header
   * @param align the alignment of its texts
   * @param fit how it shrinks
   */
  public record Column(String header, Align align, Fit fit) {

    public Column {
      Objects.requireNonNull(header, "header");
      Objects.requireNonNull(align, "align");
      Objects.requireNonNull(fit, "fit");
    }

    /** A column of words that keeps its width. */
    public static Column text(String header) {
      return new Column(header, Align.LEFT, Fit.KEEP);
    }

    /** A column of numbers. */
    public static Column number(String header) {
      return new Column(header, Align.RIGHT, Fit.KEEP);
    }

    /** A column of names, which lose their middle if space is short. */
    public static Column name(String header) {
      return new Column(header, Align.LEFT, Fit.SHORTEN);
    }

    /** A column of sentences, which are wrapped if space is short. */
    public static Column prose(String header) {
      return new Column(header, Align.LEFT, Fit.WRAP);
    }

    private Cell headerCell() {
      return Cell.of(Style.STRONG, header);
    }
  }

  /**
   * A text in its style.
   *
   * @param style the style
   * @param text the text, one line; {@link Printable} escapes each control character in it
   */
  public record Cell(Style style, String text) {

    public Cell {
      Objects.requireNonNull(style, "style");
      text = Printable.of(Objects.requireNonNull(text, "text"));
    }

    /** A plain text. */
    public static Cell of(String text) {
      return new Cell(Style.PLAIN, text);
    }

    /** A text in that style. */
    public static Cell of(Style style, String text) {
      return new Cell(style, text);
    }
  }
}
