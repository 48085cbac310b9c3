package dev.kvant.backend.gguf.blocks;

import dev.kvant.api.ElementType;

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
  void encode(float[] values, int from, byte[] block) {
    int half = 1 << (bits - 1);
    int top = 2 * half - 1;
    float min = isSymmetric ? 0 : min(values, from);
    float scale = isSymmetric ? largest(values, from) / -half : (max(values, from) - min) / top;
    float inverse = scale == 0 ? 0 : 1 / scale;
    putHalf(block, 0, half(scale));
    if (!isSymmetric) {
      putHalf(block, Short.BYTES, half(min));
    }
    float added = isSymmetric ? half + 0.5f : 0.5f;
    int upper = 0;
    int nibbles = block.length - HALF;
    for (int i = 0; i < HALF; i++) {
      int low = code((values[from + i] - min) * inverse + added, top);
      int high = code((values[from + HALF + i] - min) * inverse + added, top);
      block[nibbles + i] = (byte) ((low & LOW) | high << NIBBLE);
      upper |= (low >> NIBBLE) << i | (high >> NIBBLE) << (i + HALF);
    }
    if (bits > NIBBLE) {
      for (int i = 0; i < Integer.BYTES; i++) {
        block[nibbles - Integer.BYTES + i] = (byte) (upper >> (i * Byte.SIZE));
      }
    }
  }

  private static int code(float value, int top) {
    return Math.max(0, Math.min(top, (int) value));
  }

  /** The first value of the largest magnitude; 0 for zeros of either sign. */
  private static float largest(float[] values, int from) {
    float amax = amax(values, from, SIZE);
    int first = from;
    while (Math.abs(values[first]) != amax) {
      first++;
    }
    return amax == 0 ? 0 : values[first];
  }

  /** The smallest value; of zeros of both signs the first. */
  private static float min(float[] values, int from) {
    float min = values[from];
    for (int i = from; i < from + SIZE; i++) {
      min = values[i] < min ? values[i] : min;
    }
    return min;
  }

  private static float max(float[] values, int from) {
    float max = values[from];
    for (int i = from; i < from + SIZE; i++) {
      max = values[i] > max ? values[i] : max;
    }
    return max;
  }

  @Override
  void decode(byte[] block, float[] values, int from) {
    float scale = half(block, 0);
    float min = isSymmetric ? 0 : half(block, Short.BYTES);
    int nibbles = block.length - HALF;
    int upper = 0;
    if (bits > NIBBLE) {
      for (int i = 0; i < Integer.BYTES; i++) {
        upper |= (block[nibbles - Integer.BYTES + i] & 0xFF) << (i * Byte.SIZE);
      }
    }
    int zero = isSymmetric ? 1 << (bits - 1) : 0;
    for (int i = 0; i < HALF; i++) {
      int pair = block[nibbles + i];
      int low = (pair & LOW) | (upper >>> i & 1) << NIBBLE;
      int high = (pair >> NIBBLE & LOW) | (upper >>> (i + HALF) & 1) << NIBBLE;
      values[from + i] = scale * (low - zero) + min;
      values[from + HALF + i] = scale * (high - zero) + min;
    }
  }
}
