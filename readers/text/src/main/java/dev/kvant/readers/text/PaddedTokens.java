package dev.kvant.readers.text;

import java.util.Arrays;

/** The tokens of some texts, row by row, each row as long as the others. */
final class PaddedTokens {

  private final int texts;
  private final int length;
  private final long[] ids;
  private final long[] mask;
  private final long[] types;

  /**
   * Rows of padding.
   *
   * @param texts the number of rows
   * @param length the number of tokens in a row
   */
  PaddedTokens(int texts, int length, Padding padding) {
    this.texts = texts;
    this.length = length;
    int size = Math.multiplyExact(texts, length);
    ids = new long[size];
    mask = new long[size];
    types = new long[size];
    Arrays.fill(ids, padding.id());
    Arrays.fill(types, padding.type());
  }

  /** Puts the tokens of a text into a row, at its start or at its end. */
  void put(int text, long[] textIds, long[] textMask, long[] textTypes, boolean atEnd) {
    int start = text * length + (atEnd ? length - textIds.length : 0);
    System.arraycopy(textIds, 0, ids, start, textIds.length);
    System.arraycopy(textMask, 0, mask, start, textIds.length);
    System.arraycopy(textTypes, 0, types, start, textIds.length);
  }

  int texts() {
    return texts;
  }

  int length() {
    return length;
  }

  long[] ids() {
    return ids;
  }

  /** 1 for tokens, 0 for padding. */
  long[] mask() {
    return mask;
  }

  /** 0 for the first text of a pair, 1 for the second, where the tokenizer tells them apart. */
  long[] types() {
    return types;
  }
}
