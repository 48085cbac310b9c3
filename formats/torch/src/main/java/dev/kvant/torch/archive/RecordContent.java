package dev.kvant.torch.archive;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;

/**
 * Writes the bytes of one record, piece by piece, so that a large one need not be in memory.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface RecordContent {

  /** Writes all bytes. Each {@code write} takes the whole buffer. */
  void writeTo(WritableByteChannel channel) throws IOException;
}
