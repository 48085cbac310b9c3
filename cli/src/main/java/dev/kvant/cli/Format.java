package dev.kvant.cli;

import java.util.Locale;

/** How a result is printed. */
enum Format {
  /** For people. */
  TABLE,
  /** For programs. */
  JSON;

  /** The name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
