package dev.kvant.backend.compressedtensors.weights;

/** Packs the codes of rows. What is left of a row's last word is 0. */
final class Packing {

  private static final int WORD = Integer.BYTES;

  private Packing() {}

  /** How many bytes the packed codes of a row of words occupy. */
  static int bytesOfRow(int columns, int bits) {
    return Math.toIntExact(((long) columns * bits + Integer.SIZE - 1) / Integer.SIZE * WORD);
  }

  /** Signed bytes plus 128, four in a word. */
  static byte[] bytes(byte[] codes, int rows, int columns) {
    int stride = bytesOfRow(columns, Byte.SIZE);
    byte[] packed = new byte[rows * stride];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        packed[row * stride + column] = (byte) (codes[row * columns + column] ^ 0x80);
      }
    }
    return packed;
  }

  /** Codes from -8 to 7 plus 8, eight in a word, the first in the lowest bits. */
  static byte[] nibbles(byte[] codes, int rows, int columns) {
    int stride = bytesOfRow(columns, 4);
    byte[] packed = new byte[rows * stride];
    for (int row = 0; row < rows; row++) {
      int from = row * columns;
      int to = row * stride;
      int pairs = columns / 2;
      for (int pair = 0; pair < pairs; pair++) {
        packed[to + pair] =
            (byte) ((codes[from + 2 * pair] + 8) | ((codes[from + 2 * pair + 1] + 8) << 4));
      }
      if (columns % 2 != 0) {
        packed[to + pairs] = (byte) (codes[from + columns - 1] + 8);
      }
    }
    return packed;
  }

  /**
   * Zero points from -8 to 7 plus 8, packed along the rows: a word holds those of eight rows that
   * follow each other.
   *
   * @param zeroPoints {@code [rows, groups]}
   * @return words {@code [ceil(rows / 8), groups]}
   */
  static byte[] zeroPoints(byte[] zeroPoints, int rows, int groups) {
    byte[] packed = new byte[(rows + 7) / 8 * groups * WORD];
    for (int row = 0; row < rows; row++) {
      int shift = row % 2 * 4;
      for (int group = 0; group < groups; group++) {
        int at = (row / 8 * groups + group) * WORD + row % 8 / 2;
        packed[at] |= (byte) ((zeroPoints[row * groups + group] + 8) << shift);
      }
    }
    return packed;
  }
}
