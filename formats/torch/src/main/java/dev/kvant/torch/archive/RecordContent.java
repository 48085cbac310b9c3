package dev.kvant.torch.archive;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;

/**
 * Writes the bytes of one record in pieces, so that a large record need not be in memory.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface RecordContent {

  /** Writes all bytes. Each {@code write} writes the whole buffer. */
  void writeTo(WritableByteChannel channel) throws IOException;
}
