package dev.kvant.gguf;

import dev.kvant.api.ModelFormatException;
import dev.kvant.spi.ModelFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/**
 * Reads a header from its beginning to its end; nothing is allocated that the file is too short
 * for.
 */
final class HeaderReader {

  private static final int WINDOW = 1 << 16;

  private final ModelFile file;
  private final Function<String, ModelFormatException> damaged;
  private final ByteBuffer window =
      ByteBuffer.allocate(WINDOW).order(ByteOrder.LITTLE_ENDIAN).limit(0);
  private long windowStart;

  /**
   * At the beginning of a file.
   *
   * @param damaged makes the error from what is wrong
   */
  HeaderReader(ModelFile file, Function<String, ModelFormatException> damaged) {
    this.file = file;
    this.damaged = damaged;
  }

  /** Where the next byte is. */
  long position() {
    return windowStart + window.position();
  }

  private long left() {
    return file.size() - position();
  }

  /** Makes some bytes available; at most as many as a window has. */
  private ByteBuffer need(int bytes, String what) {
    if (bytes > left()) {
      throw damaged.apply("it ends at byte %d, within %s".formatted(file.size(), what));
    }
    if (window.remaining() < bytes) {
      windowStart = position();
      window.clear().limit((int) Math.min(WINDOW, file.size() - windowStart));
      file.read(windowStart, window);
      window.flip();
    }
    return window;
  }

  int int32(String what) {
    return need(Integer.BYTES, what).getInt();
  }

  long uint32(String what) {
    return Integer.toUnsignedLong(int32(what));
  }

  long int64(String what) {
    return need(Long.BYTES, what).getLong();
  }

  /**
   * Reads how many there are of something.
   *
   * @param bytes how many bytes each has at least; the file must be long enough for all
   */
  long count(String what, int bytes) {
    long count = int64("the number of " + what);
    if (count < 0 || count > left() / bytes) {
      throw damaged.apply(
          "it announces %s %s, and %d bytes are left"
              .formatted(Long.toUnsignedString(count), what, left()));
    }
    return count;
  }

  /** Goes on by some bytes. */
  void skip(long bytes, String what) {
    if (bytes > left()) {
      throw damaged.apply("it ends at byte %d, within %s".formatted(file.size(), what));
    }
    if (bytes <= window.remaining()) {
      window.position(window.position() + (int) bytes);
    } else {
      windowStart = position() + bytes;
      window.position(0).limit(0);
    }
  }

  /**
   * Reads a text with its length.
   *
   * @param limit how many bytes it has at most, less than a window
   * @throws CharacterCodingException if it is not UTF-8
   */
  String text(String what, int limit) throws CharacterCodingException {
    long length = count("bytes in " + what, 1);
    if (length > limit) {
      throw damaged.apply(
          "%s has %d bytes; at most %d are possible".formatted(what, length, limit));
    }
    ByteBuffer bytes = need((int) length, what).slice(window.position(), (int) length);
    window.position(window.position() + (int) length);
    return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
  }
}
