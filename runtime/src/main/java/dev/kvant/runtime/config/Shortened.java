package dev.kvant.runtime.config;

/** Shortens what a document says, so that a message stays readable whatever stands in it. */
final class Shortened {

  private static final int LONGEST = 200;

  private Shortened() {}

  /** The beginning of a text, and how long it is if that is not all of it. */
  static String of(String text) {
    return text.length() <= LONGEST
        ? text
        : "%s… (%d characters)".formatted(text.substring(0, LONGEST), text.length());
  }
}
