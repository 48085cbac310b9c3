package dev.kvant.tck;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Files that are almost right: copies of a valid one with a few changes, the same for the same
 * seed. Readers must read each or refuse it with a reason.
 *
 * <p>Changes are bits, bytes, numbers of 2, 4 and 8 bytes at the ends of their ranges, digits in
 * texts, and pieces that are removed, repeated or moved. Half of the mutants of a valid zip archive
 * are valid archives, in which the content of one entry is changed.
 *
 * @since 0.1.0
 */
public final class Mutants {

  private static final int MOST_CHANGES = 4;
  private static final int LONGEST_PIECE = 24;

  /** Changes near the start, where headers are, are as likely as all others together. */
  private static final int HEADER = 512;

  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    -2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    0xffffffffL,
    1L << 40,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  private static final String[] TEXTS = {
    "9",
    "-",
    ".",
    "e",
    "0",
    "9223372036854775807",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ",",
    ":",
    "=",
    "\n",
    " ",
    "\\",
    "null",
    "NaN",
    "../",
    "\0"
  };

  private final Random random;

  /**
   * @param seed chooses the changes
   */
  public Mutants(long seed) {
    this.random = new Random(seed);
  }

  /** The next mutant of a file's content, which stays as it is. */
  public byte[] of(byte[] content) {
    boolean isZip = content.length > 3 && content[0] == 'P' && content[1] == 'K' && content[2] == 3;
    if (isZip && random.nextBoolean()) {
      try {
        return ofZip(content);
      } catch (IOException damaged) {
        return changed(content);
      }
    }
    return changed(content);
  }

  private byte[] ofZip(byte[] content) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    Path file = Files.createTempFile("mutants", ".zip");
    try {
      Files.write(file, content);
      try (var zip = new ZipFile(file.toFile())) {
        for (ZipEntry entry : Collections.list(zip.entries())) {
          try (var in = zip.getInputStream(entry)) {
            entries.put(entry.getName(), in.readAllBytes());
          }
        }
      }
    } finally {
      Files.delete(file);
    }
    List<String> names = new ArrayList<>(entries.keySet());
    String chosen = names.get(random.nextInt(names.size()));
    entries.computeIfPresent(chosen, (name, entry) -> changed(entry));
    var bytes = new ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        zip.putNextEntry(stored(entry.getKey(), entry.getValue()));
        zip.write(entry.getValue());
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }

  private static ZipEntry stored(String name, byte[] content) {
    var checksum = new CRC32();
    checksum.update(content);
    var entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(checksum.getValue());
    return entry;
  }

  private byte[] changed(byte[] content) {
    byte[] mutant = content.clone();
    for (int left = 1 + random.nextInt(MOST_CHANGES); left > 0 && mutant.length > 0; left--) {
      mutant = changedOnce(mutant);
    }
    return mutant;
  }

  private byte[] changedOnce(byte[] content) {
    int at = place(content.length);
    int end = Math.min(content.length, at + 1 + random.nextInt(LONGEST_PIECE));
    byte[] piece = Arrays.copyOfRange(content, at, end);
    switch (random.nextInt(8)) {
      case 0 -> content[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> content[at] = (byte) random.nextInt(256);
      case 2 -> number(content, at);
      case 3 -> {
        return replaced(content, at, at, TEXTS[random.nextInt(TEXTS.length)].getBytes(UTF_8));
      }
      case 4 -> digit(content, at);
      case 5 -> {
        return replaced(content, at, end, new byte[0]);
      }
      case 6 -> {
        return replaced(content, at, at, piece);
      }
      default -> {
        byte[] without = replaced(content, at, end, new byte[0]);
        int to = without.length == 0 ? 0 : random.nextInt(without.length);
        return replaced(without, to, to, piece);
      }
    }
    return content;
  }

  private int place(int length) {
    return random.nextInt(random.nextBoolean() ? Math.min(HEADER, length) : length);
  }

  private void number(byte[] content, int at) {
    long number = NUMBERS[random.nextInt(NUMBERS.length)];
    int size = 2 << random.nextInt(3);
    boolean isBigEndian = random.nextInt(4) == 0;
    for (int i = 0; i < size && at + i < content.length; i++) {
      content[at + i] = (byte) (number >>> (8 * (isBigEndian ? size - 1 - i : i)));
    }
  }

  /** Changes the next digit, so that a text keeps its length. */
  private void digit(byte[] content, int from) {
    for (int at = from; at < content.length; at++) {
      if (content[at] >= '0' && content[at] <= '9') {
        content[at] = (byte) ('0' + random.nextInt(10));
        return;
      }
    }
  }

  private static byte[] replaced(byte[] content, int from, int to, byte[] by) {
    byte[] result = new byte[content.length - (to - from) + by.length];
    System.arraycopy(content, 0, result, 0, from);
    System.arraycopy(by, 0, result, from, by.length);
    System.arraycopy(content, to, result, from + by.length, content.length - to);
    return result;
  }
}
