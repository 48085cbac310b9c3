package dev.kvant.report;

import java.util.Locale;

/**
 * Figures for people, the same in tables and pages.
 *
 * @since 0.1.0
 */
public final class Figures {

  private static final String[] UNITS = {"kB", "MB", "GB", "TB"};

  private Figures() {}

  /** A size in a suitable unit, as in {@code 4.21 MB}; a kilobyte has 1000 bytes. */
  public static String bytes(long bytes) {
    if (bytes < 1000) {
      return bytes + " B";
    }
    double value = bytes / 1000.0;
    int unit = 0;
    while (value >= 999.5 && unit < UNITS.length - 1) {
      value /= 1000;
      unit++;
    }
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return String.format(Locale.ROOT, "%." + decimals + "f %s", value, UNITS[unit]);
  }

  /** A cosine with six digits; only equal outputs may round to 1. */
  public static String cosine(double cosine) {
    double shown = cosine < 1 - 1e-12 ? Math.min(cosine, 0.999999) : cosine;
    return String.format(Locale.ROOT, "%.6f", shown);
  }

  /** A share as a percentage, as in {@code 25.3 %}. */
  public static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }

  /** A factor, as in {@code 1.76 ×}. */
  public static String factor(double value) {
    return String.format(Locale.ROOT, "%.2f ×", value);
  }

  /** A finite ratio in decibels, as in {@code 41.2 dB}. */
  public static String decibels(double value) {
    return String.format(Locale.ROOT, "%.1f dB", value);
  }

  /** A time, as in {@code 3.25 ms}. */
  public static String millis(double value) {
    return String.format(Locale.ROOT, "%.2f ms", value);
  }
}
