package dev.kvant.torch.script;

/**
 * A piece of TorchScript text.
 *
 * @param kind what it is
 * @param text how it is written
 * @param start where it begins in the file
 */
record Token(Kind kind, String text, int start) {

  enum Kind {
    NAME,
    NUMBER,
    STRING,
    SYMBOL
  }

  /** Where it ends in the file, exclusive. */
  int end() {
    return start + text.length();
  }

  boolean opensBracket() {
    return kind == Kind.SYMBOL && "([{".contains(text);
  }

  boolean closesBracket() {
    return kind == Kind.SYMBOL && ")]}".contains(text);
  }

  boolean is(String symbolOrKeyword) {
    return kind != Kind.STRING && text.equals(symbolOrKeyword);
  }
}
