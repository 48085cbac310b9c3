package dev.kvant.backend.gguf.blocks;

import dev.kvant.api.ElementType;

/**
 * Codes of 8 bits, 32 in a block after their scale in float16: {@code d = amax / 127}, {@code q =
 * round(x · (1/d))}, half away from zero, {@code x' = d · q}, in float32; {@code d} is rounded to
 * float16 after the codes were chosen. Source: {@code quantize_row_q8_0_ref} in llama.cpp's
 * ggml-quants.c.
 */
final class ByteBlocks extends BlockByBlock {

  private static final int SIZE = 32;
  private static final int TOP = 127;

  /** Where the codes begin. */
  private static final int CODES = Short.BYTES;

  /**
   * The float32 below 0.5: a sum with it reaches the next integer from its half on. With 0.5 itself
   * the float32 below 0.5 would.
   */
  private static final float BELOW_HALF = 0x1.fffffep-2f;

  ByteBlocks(ElementType blocks) {
    super(blocks);
  }

  @Override
  void encode(float[] values, int from, byte[] block) {
    float scale = amax(values, from, SIZE) / TOP;
    float inverse = scale == 0 ? 0 : 1 / scale;
    putHalf(block, 0, half(scale));
    for (int i = 0; i < SIZE; i++) {
      float quotient = values[from + i] * inverse;
      int code = (int) (quotient + Math.copySign(BELOW_HALF, quotient));
      block[CODES + i] = (byte) Math.max(-TOP, Math.min(TOP, code));
    }
  }

  @Override
  void decode(byte[] block, float[] values, int from) {
    float scale = half(block, 0);
    for (int i = 0; i < SIZE; i++) {
      values[from + i] = block[CODES + i] * scale;
    }
  }
}
