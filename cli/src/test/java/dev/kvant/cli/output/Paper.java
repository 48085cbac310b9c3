package dev.kvant.cli.output;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;

/** A screen that keeps what is printed on it. */
final class Paper {

  private final StringWriter text = new StringWriter();
  private final Screen screen;

  private Paper(boolean interactive, boolean coloured, boolean unicode, int columns) {
    this.screen = new Screen(new PrintWriter(text), interactive, coloured, unicode, columns);
  }

  /** A pipe whose character set is ASCII. */
  static Paper wide() {
    return new Paper(false, false, false, Screen.UNLIMITED);
  }

  /** A pipe whose character set has everything. */
  static Paper wideUnicode() {
    return new Paper(false, false, true, Screen.UNLIMITED);
  }

  /** A narrow one without colours and Unicode. */
  static Paper columns(int columns) {
    return new Paper(false, false, false, columns);
  }

  /** A terminal with everything. */
  static Paper coloured() {
    return new Paper(true, true, true, Screen.UNLIMITED);
  }

  /** A terminal without colours. */
  static Paper terminal(boolean unicode, int columns) {
    return new Paper(true, false, unicode, columns);
  }

  Screen screen() {
    return screen;
  }

  String text() {
    screen.writer().flush();
    return text.toString();
  }

  List<String> lines() {
    return text().lines().toList();
  }

  static String withoutStyles(String line) {
    return line.replaceAll("\u001b\\[[0-9;]*m", "");
  }
}
