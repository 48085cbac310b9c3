package dev.kvant.onnx.graph;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Bytes that are addressable, on the heap or mapped.
 *
 * @param buffer the bytes from position to limit
 */
record InMemoryContent(ByteBuffer buffer) implements Content {

  @Override
  public long bytes() {
    return buffer.remaining();
  }

  @Override
  public ByteBuffer read(long from, int length) {
    return buffer
        .slice(buffer.position() + Math.toIntExact(from), length)
        .order(ByteOrder.LITTLE_ENDIAN);
  }
}
