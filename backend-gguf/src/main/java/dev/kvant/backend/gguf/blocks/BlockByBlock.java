package dev.kvant.backend.gguf.blocks;

import dev.kvant.api.ElementType;
import dev.kvant.kit.BlockCodec;
import dev.kvant.numerics.Float16;
import java.nio.ByteBuffer;

/** Encodes and decodes one block after the other. */
abstract class BlockByBlock implements BlockCodec {

  private final ElementType blocks;

  BlockByBlock(ElementType blocks) {
    this.blocks = blocks;
  }

  @Override
  public final ElementType blocks() {
    return blocks;
  }

  @Override
  public final void encode(float[] values, ByteBuffer target) {
    for (int from = 0; from < values.length; from += blocks.blockElements()) {
      encode(values, from, target);
    }
  }

  @Override
  public final void decode(ByteBuffer source, float[] values) {
    for (int from = 0; from < values.length; from += blocks.blockElements()) {
      decode(source, values, from);
    }
  }

  /** Encodes the block of the values from an index on. */
  abstract void encode(float[] values, int from, ByteBuffer target);

  /** Decodes a block into the values from an index on. */
  abstract void decode(ByteBuffer source, float[] values, int from);

  /**
   * Rounds a scale or a minimum.
   *
   * @throws ArithmeticException if it exceeds the range
   */
  static short half(float value) {
    short half = Float16.fromFloat(value);
    if (!Float.isFinite(Float16.toFloat(half))) {
      throw new ArithmeticException(
          "a block would have %s as its scale or minimum, which exceeds float16; leave the module native"
              .formatted(value));
    }
    return half;
  }
}
