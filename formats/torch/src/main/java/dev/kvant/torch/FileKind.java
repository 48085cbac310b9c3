package dev.kvant.torch;

import dev.kvant.spi.ModelFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;

/** The kind of a file, by its first bytes. */
enum FileKind {
  /** A zip archive. */
  ZIP,
  /** A checkpoint of torch before version 1.6. */
  LEGACY_CHECKPOINT,
  /** A pickle without an archive around it. */
  PICKLE,
  /** A safetensors file. */
  SAFETENSORS,
  /** An index of safetensors files. */
  SAFETENSORS_INDEX,
  /** None of these. */
  OTHER;

  private static final int SAMPLE = 1 << 16;

  private static final byte[] ZIP_MAGIC = {'P', 'K', 3, 4};

  /** Protocol 2 and a number of ten bytes, the start of torch.save's old format. */
  private static final byte[] LEGACY_MAGIC = {
    (byte) 0x80,
    2,
    (byte) 0x8a,
    10,
    'l',
    (byte) 0xfc,
    (byte) 0x9c,
    'F',
    (byte) 0xf9,
    ' ',
    'j',
    (byte) 0xa8,
    'P',
    0x19,
    '.'
  };

  private static final Pattern INDEX =
      Pattern.compile("\\s*\\{.*\"weight_map\"\\s*:.*", Pattern.DOTALL);

  static FileKind of(ModelFile file) {
    ByteBuffer start = ByteBuffer.allocate((int) Math.min(SAMPLE, file.size()));
    file.read(0, start);
    return of(start.array());
  }

  private static FileKind of(byte[] start) {
    if (startsWith(start, ZIP_MAGIC)) {
      return ZIP;
    }
    if (startsWith(start, LEGACY_MAGIC)) {
      return LEGACY_CHECKPOINT;
    }
    if (start.length > 2 && start[0] == (byte) 0x80 && start[1] >= 2 && start[1] <= 5) {
      return PICKLE;
    }
    if (isSafetensors(start)) {
      return SAFETENSORS;
    }
    return INDEX.matcher(new String(start, StandardCharsets.UTF_8)).matches()
        ? SAFETENSORS_INDEX
        : OTHER;
  }

  /** A length, then an object. In a text with a brace there, the length would be absurdly large. */
  private static boolean isSafetensors(byte[] start) {
    if (start.length <= Long.BYTES || start[Long.BYTES] != '{') {
      return false;
    }
    long length = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
    boolean text = ByteBuffer.wrap(start).getLong() != 0;
    for (int i = 0; i < Long.BYTES; i++) {
      text &= start[i] >= ' ' || Character.isWhitespace(start[i]);
    }
    return length > 0 && !text;
  }

  private static boolean startsWith(byte[] start, byte[] magic) {
    return start.length >= magic.length
        && Arrays.equals(start, 0, magic.length, magic, 0, magic.length);
  }
}
