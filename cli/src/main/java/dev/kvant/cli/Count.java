package dev.kvant.cli;

import java.util.Locale;

/** Counted things in words. */
final class Count {

  private Count() {}

  /** The number and the noun, as in {@code 1 module} and {@code 1,204 modules}. */
  static String of(long number, String singular) {
    return of(number, singular, singular + "s");
  }

  /** The number and the noun, for nouns whose plural is not made by an s alone. */
  static String of(long number, String singular, String plural) {
    return String.format(Locale.ROOT, "%,d %s", number, number == 1 ? singular : plural);
  }
}
