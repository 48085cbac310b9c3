package dev.kvant.cli.output;

import dev.kvant.api.Printable;
import dev.kvant.api.Progress;
import dev.kvant.report.Figures;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * One line on a terminal that shows the progress of a step and is overwritten each time. Nothing
 * without a terminal.
 *
 * @since 0.1.0
 */
public final class ProgressBar {

  private static final int BAR = 24;
  private static final long NANOS_BETWEEN_DRAWINGS = 80_000_000;
  private static final String CLEAR_LINE = "\r\u001b[K";

  private final Screen screen;
  private final LongSupplier nanoTime;
  private boolean drawn;
  private long drawnAt;
  private String drawnStep = "";

  /**
   * A bar on that screen.
   *
   * @param screen where to draw; nothing is drawn unless it is interactive
   * @param nanoTime a clock, as {@link System#nanoTime}
   */
  public ProgressBar(Screen screen, LongSupplier nanoTime) {
    this.screen = Objects.requireNonNull(screen, "screen");
    this.nanoTime = Objects.requireNonNull(nanoTime, "nanoTime");
  }

  /** Draws the line, unless it was drawn very recently. */
  public void show(Progress progress) {
    if (!screen.interactive()) {
      return;
    }
    long now = nanoTime.getAsLong();
    boolean sameStep = progress.step().equals(drawnStep);
    if (sameStep && now - drawnAt < NANOS_BETWEEN_DRAWINGS) {
      return;
    }
    // The last column stays free: a terminal that fills it moves to the next line.
    String line =
        Table.shortened(screen, Printable.of(line(progress)), Math.max(1, screen.columns() - 1));
    screen.writer().print(CLEAR_LINE + line);
    screen.writer().flush();
    drawn = true;
    drawnAt = now;
    drawnStep = progress.step();
  }

  /** Removes the line, so that other text can be printed. */
  public void clear() {
    if (drawn) {
      screen.writer().print(CLEAR_LINE);
      screen.writer().flush();
      drawn = false;
      drawnStep = "";
    }
  }

  private String line(Progress progress) {
    var line = new StringBuilder(progress.step()).append("  ");
    if (progress.total() > 0) {
      long done = Math.min(progress.done(), progress.total());
      int filled = (int) (BAR * done / progress.total());
      line.append(screen.symbol("█", "#").repeat(filled))
          .append(screen.symbol("░", ".").repeat(BAR - filled))
          .append("  ");
    }
    return line.append(count(progress))
        .append("  ")
        .append(progress.item())
        .toString()
        .stripTrailing();
  }

  private static String count(Progress progress) {
    boolean known = progress.total() > 0;
    if (progress.unit().equals("bytes")) {
      return Figures.bytes(progress.done())
          + (known ? " of " + Figures.bytes(progress.total()) : "");
    }
    return progress.done() + (known ? "/" + progress.total() : "") + " " + progress.unit();
  }
}
