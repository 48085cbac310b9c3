package dev.kvant.backend.gguf.blocks;

import dev.kvant.api.ElementType;
import dev.kvant.numerics.Float16;
import java.nio.ByteBuffer;

/**
 * Codes of 4 or 5 bits, 32 in a block. A block has its scale and, unless it is symmetric, its
 * minimum in float16, then the fifth bits of all codes, if there are any, in 32 bits, then the
 * lower four: those of values 0 to 15 in the lower halves of 16 bytes, of 16 to 31 in the upper.
 *
 * <p>Symmetric: {@code d = max / -2^(bits-1)}, where {@code max} is the value of the largest
 * magnitude, {@code q = trunc(x · (1/d) + 2^(bits-1) + 0.5)}, {@code x' = d · (q - 2^(bits-1))}.
 * Otherwise {@code d = (max - min) / (2^bits - 1)}, {@code q = trunc((x - min) · (1/d) + 0.5)},
 * {@code x' = d · q + min}. All in float32; {@code d} is rounded to float16 after the codes were
 * chosen. Source: {@code quantize_row_q4_0_ref} and its relatives in llama.cpp's ggml-quants.c.
 */
final class NibbleBlocks extends BlockByBlock {

  private static final int SIZE = 32;
  private static final int HALF = SIZE / 2;
  private static final int NIBBLE = 4;
  private static final int LOW = 0xF;

  private final int bits;
  private final boolean isSymmetric;

  /**
   * For a type.
   *
   * @param bits 4 or 5
   */
  NibbleBlocks(ElementType blocks, int bits, boolean isSymmetric) {
    super(blocks);
    this.bits = bits;
    this.isSymmetric = isSymmetric;
  }

  @Override
  void encode(float[] values, int from, ByteBuffer target) {
    float largest = 0;
    float min = values[from];
    float max = values[from];
    for (int i = from; i < from + SIZE; i++) {
      float value = values[i];
      if (Math.abs(value) > Math.abs(largest)) {
        largest = value;
      }
      min = value < min ? value : min;
      max = value > max ? value : max;
    }
    int half = 1 << (bits - 1);
    int top = 2 * half - 1;
    float scale = isSymmetric ? largest / -half : (max - min) / top;
    float inverse = scale == 0 ? 0 : 1 / scale;
    target.putShort(half(scale));
    if (!isSymmetric) {
      target.putShort(half(min));
    }
    float subtracted = isSymmetric ? 0 : min;
    float added = isSymmetric ? half + 0.5f : 0.5f;
    int upper = 0;
    var nibbles = new byte[HALF];
    for (int i = 0; i < SIZE; i++) {
      int code = (int) ((values[from + i] - subtracted) * inverse + added);
      code = Math.max(0, Math.min(top, code));
      upper |= code >> NIBBLE << i;
      nibbles[i % HALF] |= (byte) ((code & LOW) << (i < HALF ? 0 : NIBBLE));
    }
    if (bits > NIBBLE) {
      target.putInt(upper);
    }
    target.put(nibbles);
  }

  @Override
  void decode(ByteBuffer source, float[] values, int from) {
    float scale = Float16.toFloat(source.getShort());
    float min = isSymmetric ? 0 : Float16.toFloat(source.getShort());
    int upper = bits > NIBBLE ? source.getInt() : 0;
    int zero = isSymmetric ? 1 << (bits - 1) : 0;
    for (int i = 0; i < HALF; i++) {
      int pair = source.get();
      int low = (pair & LOW) | (upper >>> i & 1) << NIBBLE;
      int high = (pair >> NIBBLE & LOW) | (upper >>> (i + HALF) & 1) << NIBBLE;
      values[from + i] = scale * (low - zero) + min;
      values[from + HALF + i] = scale * (high - zero) + min;
    }
  }
}
