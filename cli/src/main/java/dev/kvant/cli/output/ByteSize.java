package dev.kvant.cli.output;

import java.util.Locale;

/**
 * Sizes for people: three digits and a decimal unit.
 *
 * @since 0.1.0
 */
public final class ByteSize {

  private static final String[] UNITS = {"kB", "MB", "GB", "TB"};

  private ByteSize() {}

  /** The size in a suitable unit, as in {@code 4.21 MB}; a kilobyte has 1000 bytes. */
  public static String format(long bytes) {
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
}
