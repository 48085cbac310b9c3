package dev.kvant.cli;

import java.util.Locale;
import picocli.CommandLine.TypeConversionException;

/** How a result is printed. */
enum Format {
  /** For people. */
  TABLE,
  /** For programs. */
  JSON;

  /** The format of that name, in any case. */
  static Format of(String name) {
    for (Format format : values()) {
      if (format.toString().equals(name.toLowerCase(Locale.ROOT))) {
        return format;
      }
    }
    throw new TypeConversionException("must be table or json, not '" + name + "'");
  }

  /** The name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
