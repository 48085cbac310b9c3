package dev.kvant.backend.gguf.blocks;

import dev.kvant.api.ElementType;
import dev.kvant.numerics.Float16;
import java.util.Arrays;

/**
 * {@code Q6_K}: codes of 6 bits, 256 in a block of 16 groups. A group has a scale of 8 bits, which
 * multiplies that of the block, in float16: {@code x' = d · s · (q - 32)}.
 *
 * <p>The scale of a group is the best of 19 around the one that spans its values: codes are
 * rounded, the scale is fitted by least squares, weighted by {@code x²}, and the one that explains
 * most of the weighted squares remains. With the scales rounded the codes are chosen again. All in
 * float32, in the order of llama.cpp. Source: {@code quantize_row_q6_K_ref} and {@code
 * make_qx_quants} in ggml-quants.c.
 */
final class SixBitSuperBlocks extends BlockByBlock {

  private static final int SIZE = 256;
  private static final int GROUP = 16;
  private static final int GROUPS = SIZE / GROUP;
  private static final int HALF = 32;
  private static final int STEPS = 9;

  /** Where the upper two bits of the codes begin. */
  private static final int UPPER = SIZE / 2;

  /** Where the scales of groups begin. */
  private static final int SCALES = UPPER + SIZE / 4;

  /** Below this a group counts as zeros. */
  private static final float SMALLEST = 1e-15f;

  SixBitSuperBlocks(ElementType blocks) {
    super(blocks);
  }

  @Override
  void encode(float[] values, int from, byte[] block) {
    var codes = new int[SIZE];
    var scales = new float[GROUPS];
    float largest = 0;
    for (int group = 0; group < GROUPS; group++) {
      scales[group] = fit(values, from + group * GROUP, codes, group * GROUP);
      if (Math.abs(scales[group]) > Math.abs(largest)) {
        largest = scales[group];
      }
    }
    if (Math.abs(largest) < SMALLEST) {
      Arrays.fill(block, (byte) 0);
      return;
    }
    float inverse = -128f / largest;
    short d = half(1 / inverse);
    for (int group = 0; group < GROUPS; group++) {
      block[SCALES + group] = (byte) Math.min(127, Rounding.nearest(inverse * scales[group]));
      float step = Float16.toFloat(d) * block[SCALES + group];
      if (step != 0) {
        for (int i = group * GROUP; i < (group + 1) * GROUP; i++) {
          codes[i] = clamp(Rounding.nearest(values[from + i] / step)) + HALF;
        }
      }
    }
    put(codes, block);
    putHalf(block, SCALES + GROUPS, d);
  }

  /** Finds the scale of a group and its codes, from 0 to 63. */
  private static float fit(float[] x, int from, int[] codes, int first) {
    float max = 0;
    for (int i = from; i < from + GROUP; i++) {
      if (Math.abs(x[i]) > Math.abs(max)) {
        max = x[i];
      }
    }
    if (Math.abs(max) < SMALLEST) {
      return 0;
    }
    float scale = 0;
    float best = 0;
    // The spanning scale comes first, so that others must be better.
    for (int step = 0; step <= 2 * STEPS; step++) {
      int offset = step == 0 ? 0 : step <= STEPS ? step - STEPS - 1 : step - STEPS;
      float inverse = step == 0 ? -HALF / max : -(HALF + 0.1f * offset) / max;
      float sumXl = 0;
      float sumL2 = 0;
      for (int i = from; i < from + GROUP; i++) {
        int code = clamp(Rounding.nearest(inverse * x[i]));
        float weight = x[i] * x[i];
        sumXl += weight * x[i] * code;
        sumL2 += weight * code * code;
      }
      boolean isFirst = step == 0;
      if (isFirst || (sumL2 > 0 && sumXl * sumXl > best * sumL2)) {
        for (int i = 0; i < GROUP; i++) {
          codes[first + i] = clamp(Rounding.nearest(inverse * x[from + i])) + HALF;
        }
        scale = sumL2 == 0 ? 0 : sumXl / sumL2;
        best = scale * sumXl;
      }
    }
    return scale;
  }

  private static int clamp(int code) {
    return Math.max(-HALF, Math.min(HALF - 1, code));
  }

  /**
   * Writes the lower four bits of all codes, then the upper two: of each 128 codes, numbers i and i
   * + 64 share a byte of the former, numbers i, i + 32, i + 64 and i + 96 one of the latter.
   */
  private static void put(int[] codes, byte[] block) {
    int at = 0;
    for (int part = 0; part < SIZE; part += 128) {
      for (int i = part; i < part + 64; i++) {
        block[at++] = (byte) ((codes[i] & 0xF) | (codes[i + 64] & 0xF) << 4);
      }
    }
    for (int part = 0; part < SIZE; part += 128) {
      for (int i = part; i < part + 32; i++) {
        block[at++] =
            (byte)
                (codes[i] >> 4
                    | codes[i + 32] >> 4 << 2
                    | codes[i + 64] >> 4 << 4
                    | codes[i + 96] >> 4 << 6);
      }
    }
  }

  @Override
  void decode(byte[] block, float[] values, int from) {
    float d = half(block, SCALES + GROUPS);
    for (int i = 0; i < SIZE; i++) {
      int part = i / 128;
      int within = i % 128;
      int lower = block[part * 64 + within % 64] >> (within < 64 ? 0 : 4) & 0xF;
      int upper = block[UPPER + part * 32 + within % 32] >> (within / 32 * 2) & 3;
      values[from + i] = d * block[SCALES + i / GROUP] * ((lower | upper << 4) - HALF);
    }
  }
}
