package dev.kvant.runtime.report;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * Fills the end of a text with white space, such that it gets the length and the CRC-32 of another
 * text. In an archive it can then replace the other text, and nothing else changes.
 *
 * <p>Each of the last 32 characters is a space or a tab. A change of one character changes the
 * CRC-32 by a fixed mask, whatever the others are, and those of 32 neighbours are linearly
 * independent over GF(2): the polynomial of CRC-32 is primitive, so that the powers of {@code x^8}
 * modulo it up to the 31st are a basis. So the 32 linear equations for 32 bits have a solution.
 */
final class SameChecksum {

  private static final int BITS = 32;
  private static final byte SPACE = ' ';
  private static final byte TAB = '\t';

  private SameChecksum() {}

  /**
   * The text with white space behind it; empty if it is not at least 32 bytes shorter than the
   * other.
   */
  static Optional<byte[]> pad(String text, byte[] other) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length + BITS > other.length) {
      return Optional.empty();
    }
    byte[] padded = Arrays.copyOf(bytes, other.length);
    Arrays.fill(padded, bytes.length, padded.length, SPACE);
    long missing = checksum(padded) ^ checksum(other);
    long tabs = tabsFor(missing, masks(padded));
    for (int i = 0; i < BITS; i++) {
      if ((tabs >> i & 1) == 1) {
        padded[padded.length - BITS + i] = TAB;
      }
    }
    return Optional.of(padded);
  }

  /** By how much each of the last characters changes the checksum if it becomes a tab. */
  private static long[] masks(byte[] padded) {
    long before = checksum(padded);
    long[] masks = new long[BITS];
    for (int i = 0; i < BITS; i++) {
      int place = padded.length - BITS + i;
      padded[place] = TAB;
      masks[i] = checksum(padded) ^ before;
      padded[place] = SPACE;
    }
    return masks;
  }

  /** Which masks give a value, as a set of bits: Gaussian elimination over GF(2). */
  private static long tabsFor(long value, long[] masks) {
    long[] rows = masks.clone();
    long[] origins = new long[BITS];
    for (int i = 0; i < BITS; i++) {
      origins[i] = 1L << i;
    }
    long rest = value;
    long tabs = 0;
    for (int bit = 0, done = 0; bit < BITS; bit++) {
      int pivot = done;
      while ((rows[pivot] >> bit & 1) == 0) {
        pivot++;
      }
      swap(rows, done, pivot);
      swap(origins, done, pivot);
      for (int i = done + 1; i < BITS; i++) {
        if ((rows[i] >> bit & 1) == 1) {
          rows[i] ^= rows[done];
          origins[i] ^= origins[done];
        }
      }
      if ((rest >> bit & 1) == 1) {
        rest ^= rows[done];
        tabs ^= origins[done];
      }
      done++;
    }
    return tabs;
  }

  private static void swap(long[] values, int first, int second) {
    long kept = values[first];
    values[first] = values[second];
    values[second] = kept;
  }

  private static long checksum(byte[] bytes) {
    var crc = new CRC32();
    crc.update(bytes);
    return crc.getValue();
  }
}
