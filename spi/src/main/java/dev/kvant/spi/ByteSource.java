package dev.kvant.spi;

import dev.kvant.api.ModelFormatException;
import java.nio.ByteBuffer;

/**
 * Bytes that are read in place, any part at any time, by several threads at once.
 *
 * @since 0.1.0
 */
public interface ByteSource {

  /** How many there are. */
  long size();

  /**
   * Fills a buffer from its position to its limit.
   *
   * @param position where in these bytes to start
   * @throws IndexOutOfBoundsException if they end before the buffer is full
   * @throws ModelFormatException if the file can no longer be read
   */
  void read(long position, ByteBuffer target);

  /**
   * All bytes, for small sources.
   *
   * @param limit the most that is read into memory
   * @param what what the bytes are, for the message
   * @throws ModelFormatException if there are more
   */
  default byte[] readAll(int limit, String what) {
    if (size() > limit) {
      throw new ModelFormatException(
          "%s has %d bytes, more than the %d that are read into memory"
              .formatted(what, size(), limit));
    }
    var bytes = new byte[(int) size()];
    read(0, ByteBuffer.wrap(bytes));
    return bytes;
  }
}
