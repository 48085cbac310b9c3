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
    var block = new byte[blocks.blockBytes()];
    for (int from = 0; from < values.length; from += blocks.blockElements()) {
      encode(values, from, block);
      target.put(block);
    }
  }

  @Override
  public final void decode(ByteBuffer source, float[] values) {
    var block = new byte[blocks.blockBytes()];
    for (int from = 0; from < values.length; from += blocks.blockElements()) {
      source.get(block);
      decode(block, values, from);
    }
  }

  /** Encodes the block of the values from an index on, and sets all its bytes. */
  abstract void encode(float[] values, int from, byte[] block);

  /** Decodes a block into the values from an index on. */
  abstract void decode(byte[] block, float[] values, int from);

  /** Sets two bytes of a block, little-endian. */
  static void putHalf(byte[] block, int at, short half) {
    block[at] = (byte) half;
    block[at + 1] = (byte) (half >> Byte.SIZE);
  }

  /** The value of two bytes of a block, a float16. */
  static float half(byte[] block, int at) {
    return Float16.toFloat((short) ((block[at] & 0xFF) | block[at + 1] << Byte.SIZE));
  }

  /** The largest magnitude of finite values. */
  static float amax(float[] values, int from, int count) {
    // Magnitudes are ordered as their bits are, whose maximum takes fewer instructions.
    int bits = 0;
    for (int i = from; i < from + count; i++) {
      bits = Math.max(bits, Float.floatToRawIntBits(values[i]) & Integer.MAX_VALUE);
    }
    return Float.intBitsToFloat(bits);
  }

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
