package dev.kvant.backend.gguf.blocks;

import dev.kvant.api.ElementType;
import dev.kvant.numerics.Float16;
import java.nio.ByteBuffer;

/**
 * Codes of 8 bits, 32 in a block after their scale in float16: {@code d = amax / 127}, {@code q =
 * round(x · (1/d))}, half away from zero, {@code x' = d · q}, in float32; {@code d} is rounded to
 * float16 after the codes were chosen. Source: {@code quantize_row_q8_0_ref} in llama.cpp's
 * ggml-quants.c.
 */
final class ByteBlocks extends BlockByBlock {

  private static final int SIZE = 32;
  private static final int TOP = 127;

  ByteBlocks(ElementType blocks) {
    super(blocks);
  }

  @Override
  void encode(float[] values, int from, ByteBuffer target) {
    float amax = 0;
    for (int i = from; i < from + SIZE; i++) {
      amax = Math.max(amax, Math.abs(values[i]));
    }
    float scale = amax / TOP;
    float inverse = scale == 0 ? 0 : 1 / scale;
    target.putShort(half(scale));
    for (int i = from; i < from + SIZE; i++) {
      float quotient = values[i] * inverse;
      float magnitude = Math.abs(quotient);
      int floor = (int) magnitude;
      int code = Math.min(TOP, magnitude - floor >= 0.5f ? floor + 1 : floor);
      target.put((byte) (quotient < 0 ? -code : code));
    }
  }

  @Override
  void decode(ByteBuffer source, float[] values, int from) {
    float scale = Float16.toFloat(source.getShort());
    for (int i = from; i < from + SIZE; i++) {
      values[i] = source.get() * scale;
    }
  }
}
