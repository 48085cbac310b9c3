package dev.kvant.kit;

import dev.kvant.api.ElementType;
import java.nio.ByteBuffer;

/**
 * The arithmetic of weights that are quantized in blocks: consecutive values of a row to bytes, and
 * back. Has no state: several threads use one at once.
 *
 * @since 0.1.0
 */
public interface BlockCodec {

  /**
   * How many values a block has, and how many bytes; one value for a type that is rounded by
   * itself.
   */
  ElementType blocks();

  /**
   * Quantizes values.
   *
   * @param values finite; as many as fill whole blocks
   * @param blocks little-endian; gets the bytes of the blocks from its position on
   * @throws ArithmeticException if blocks cannot hold a value; the message says which and why
   */
  void encode(float[] values, ByteBuffer blocks);

  /**
   * Restores the values that blocks stand for.
   *
   * @param blocks little-endian, from position to limit
   * @param values gets the values
   */
  void decode(ByteBuffer blocks, float[] values);
}
