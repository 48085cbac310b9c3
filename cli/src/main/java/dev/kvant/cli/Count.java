package dev.kvant.cli;

import java.util.Locale;

/** Counted things in words. */
final class Count {

  private Count() {}

  /** The number and the noun, as in {@code 1 module} and {@code 1,204 modules}. */
  static String of(long number, String singular) {
    return String.format(Locale.ROOT, "%,d %s%s", number, singular, number == 1 ? "" : "s");
  }
}
