package dev.kvant.maven;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A limit on the size of an artifact.
 *
 * @param written the limit as it was written
 * @param number the number in it
 * @param unit what the number counts: bytes of a unit, or 0 for percent of the original
 */
record SizeLimit(String written, double number, long unit) {

  private static final Pattern FORM =
      Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*(B|kB|KB|MB|GB|KiB|MiB|GiB|%)?");

  private static final long KILO = 1000;
  private static final long KIBI = 1024;

  /**
   * Reads a limit.
   *
   * @param text a number with {@code B}, {@code kB}, {@code MB}, {@code GB}, {@code KiB}, {@code
   *     MiB}, {@code GiB} or {@code %} of the original; bytes without a unit
   * @throws IllegalArgumentException if it has another form
   */
  static SizeLimit of(String text) {
    Matcher limit = FORM.matcher(text.strip());
    if (!limit.matches()) {
      throw new IllegalArgumentException(
          "'%s' is not a size; write it as 25MB, 24MiB or 30%%".formatted(text));
    }
    return new SizeLimit(text.strip(), Double.parseDouble(limit.group(1)), unit(limit.group(2)));
  }

  private static long unit(String unit) {
    return switch (unit == null ? "b" : unit.toLowerCase(Locale.ROOT)) {
      case "b" -> 1;
      case "kb" -> KILO;
      case "mb" -> KILO * KILO;
      case "gb" -> KILO * KILO * KILO;
      case "kib" -> KIBI;
      case "mib" -> KIBI * KIBI;
      case "gib" -> KIBI * KIBI * KIBI;
      default -> 0;
    };
  }

  /**
   * Checks artifacts.
   *
   * @param bytes the bytes of a model's artifacts
   * @param original the bytes of the model
   * @return what is wrong; empty if they are within the limit
   */
  Optional<String> fault(long bytes, long original) {
    double most = unit == 0 ? number / 100 * original : number * unit;
    return bytes <= most
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "the artifacts have %,d bytes, %.1f %% of the original's %,d; the maximum is %s",
                bytes,
                100.0 * bytes / original,
                original,
                written));
  }
}
