package com.example.bf16;

import dev.kvant.api.ElementType;
import dev.kvant.kit.BlockCodec;
import java.nio.ByteBuffer;

/** Rounds float32 to bfloat16, its upper 16 bits: to the nearest, ties to even. */
final class Bf16Blocks implements BlockCodec {

  /** One value in two bytes. */
  @Override
  public ElementType blocks() {
    return ElementType.BFLOAT16;
  }

  @Override
  public void encode(float[] values, ByteBuffer blocks) {
    for (float value : values) {
      int bits = Float.floatToRawIntBits(value);
      int upper = (bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16;
      if (!Float.isFinite(Float.intBitsToFloat(upper << 16))) {
        throw new ArithmeticException(value + " exceeds the range of bfloat16");
      }
      blocks.putShort((short) upper);
    }
  }

  @Override
  public void decode(ByteBuffer blocks, float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.intBitsToFloat(blocks.getShort() << 16);
    }
  }
}
