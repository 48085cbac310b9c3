package dev.kvant.onnx.graph;

import java.nio.ByteBuffer;

/**
 * The bytes of a tensor, wherever they are: as ONNX's {@code raw_data} has them, row-major and
 * little-endian.
 *
 * @since 0.1.0
 */
public interface Content {

  /** The most bytes that {@link #forEachBlock} hands over at once. */
  int BLOCK_BYTES = 1 << 20;

  /** How many bytes there are. */
  long bytes();

  /**
   * Reads a piece.
   *
   * @return a little-endian buffer of that length
   */
  ByteBuffer read(long from, int length);

  /** Takes one block of a tensor. */
  @FunctionalInterface
  interface BlockConsumer {

    /**
     * Takes a block.
     *
     * @param from the index of the block's first byte
     * @param block a little-endian buffer
     */
    void accept(long from, ByteBuffer block);
  }

  /** Reads everything, block by block, from the first byte to the last. */
  default void forEachBlock(BlockConsumer consumer) {
    long bytes = bytes();
    for (long from = 0; from < bytes; from += BLOCK_BYTES) {
      consumer.accept(from, read(from, (int) Math.min(BLOCK_BYTES, bytes - from)));
    }
  }
}
