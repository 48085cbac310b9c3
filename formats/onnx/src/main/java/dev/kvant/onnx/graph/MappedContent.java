package dev.kvant.onnx.graph;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Bytes within the model's own file, which is mapped.
 *
 * @param buffer the bytes from position to limit
 * @param region where they are in the file
 */
record MappedContent(ByteBuffer buffer, ExternalData.Region region) implements FileContent {

  @Override
  public long bytes() {
    return region.length();
  }

  @Override
  public ByteBuffer read(long from, int length) {
    return buffer
        .slice(buffer.position() + Math.toIntExact(from), length)
        .order(ByteOrder.LITTLE_ENDIAN);
  }
}
