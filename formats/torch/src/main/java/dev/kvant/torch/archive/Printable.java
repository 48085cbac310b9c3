package dev.kvant.torch.archive;

/**
 * Makes text from a file printable in a message: a damaged or hostile name may contain line breaks,
 * control codes of a terminal, or megabytes.
 *
 * @since 0.1.0
 */
public final class Printable {

  private static final int MAX_LENGTH = 300;

  private Printable() {}

  /** The text in one line of bounded length, with a question mark for each control character. */
  public static String of(String text) {
    String start = text.length() > MAX_LENGTH ? text.substring(0, MAX_LENGTH) + "…" : text;
    return start.replaceAll("[\\p{Cntrl}\\p{Zl}\\p{Zp}\\p{Cf}]", "?");
  }
}
