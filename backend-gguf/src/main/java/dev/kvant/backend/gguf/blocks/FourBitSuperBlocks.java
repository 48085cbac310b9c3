package dev.kvant.backend.gguf.blocks;

import dev.kvant.api.ElementType;
import dev.kvant.numerics.Float16;
import java.util.Arrays;

/**
 * {@code Q4_K}: codes of 4 bits, 256 in a block of 8 groups. A group has a scale and a minimum of 6
 * bits, which multiply those of the block, in float16: {@code x' = d · s · q - dmin · m}.
 *
 * <p>Scale and minimum of a group are found by a search: for 21 ranges around its own, codes are
 * rounded, the line through them is fitted by least squares, weighted by {@code |x| + rms(x)}, and
 * the one with the smallest weighted squared error remains. With both rounded to 6 bits the codes
 * are chosen again. All in float32, in the order of llama.cpp. Source: {@code
 * quantize_row_q4_K_ref} and {@code make_qkx2_quants} in ggml-quants.c.
 */
final class FourBitSuperBlocks extends BlockByBlock {

  private static final int SIZE = 256;
  private static final int GROUP = 32;
  private static final int GROUPS = SIZE / GROUP;
  private static final int TOP = 15;
  private static final int SCALE_TOP = 63;

  /** Where the scales and minima of groups begin. */
  private static final int SCALES = 2 * Short.BYTES;

  /** Where the codes begin, after 12 bytes of scales and minima. */
  private static final int CODES = SCALES + 12;

  private static final int STEPS = 20;
  private static final float STEP = 0.1f;

  FourBitSuperBlocks(ElementType blocks) {
    super(blocks);
  }

  /** Scale and minimum of a group, and its codes. */
  private static final class Fit {

    private final float[] weights = new float[GROUP];
    private final int[] tried = new int[GROUP];
    private final int[] codes = new int[SIZE];
    private float scale;
    private float negativeMin;

    void fit(float[] x, int from, int group) {
      float squares = 0;
      for (int i = 0; i < GROUP; i++) {
        squares += x[from + i] * x[from + i];
      }
      float rms = (float) Math.sqrt(squares / GROUP);
      float min = x[from];
      float max = x[from];
      float sumW = 0;
      float sumX = 0;
      for (int i = 0; i < GROUP; i++) {
        float value = x[from + i];
        weights[i] = rms + Math.abs(value);
        min = value < min ? value : min;
        max = value > max ? value : max;
        sumW += weights[i];
        sumX += weights[i] * value;
      }
      min = min > 0 ? 0 : min;
      int first = group * GROUP;
      if (max == min) {
        Arrays.fill(codes, first, first + GROUP, 0);
        scale = 0;
        negativeMin = -min;
        return;
      }
      search(x, from, first, min, max, sumW, sumX);
    }

    private void search(
        float[] x, int from, int first, float min, float max, float sumW, float sumX) {
      float inverse = TOP / (max - min);
      float bestScale = 1 / inverse;
      float bestMin = min;
      float bestError = 0;
      for (int i = 0; i < GROUP; i++) {
        int code = clamp(Rounding.nearest(inverse * (x[from + i] - min)));
        codes[first + i] = code;
        float difference = bestScale * code + min - x[from + i];
        bestError += weights[i] * (difference * difference);
      }
      // llama.cpp keeps measuring from the minimum that is best so far.
      for (int step = 0; step <= STEPS; step++) {
        inverse = (-1f + STEP * step + TOP) / (max - bestMin);
        float sumL = 0;
        float sumL2 = 0;
        float sumXl = 0;
        for (int i = 0; i < GROUP; i++) {
          int code = clamp(Rounding.nearest(inverse * (x[from + i] - bestMin)));
          tried[i] = code;
          float weight = weights[i];
          sumL += weight * code;
          sumL2 += weight * code * code;
          sumXl += weight * code * x[from + i];
        }
        float determinant = sumW * sumL2 - sumL * sumL;
        if (determinant > 0) {
          float triedScale = (sumW * sumXl - sumX * sumL) / determinant;
          float triedMin = (sumL2 * sumX - sumL * sumXl) / determinant;
          if (triedMin > 0) {
            triedMin = 0;
            triedScale = sumXl / sumL2;
          }
          float error = 0;
          for (int i = 0; i < GROUP; i++) {
            float difference = triedScale * tried[i] + triedMin - x[from + i];
            error += weights[i] * (difference * difference);
          }
          if (error < bestError) {
            System.arraycopy(tried, 0, codes, first, GROUP);
            bestError = error;
            bestScale = triedScale;
            bestMin = triedMin;
          }
        }
      }
      scale = bestScale;
      negativeMin = -bestMin;
    }

    private static int clamp(int code) {
      return Math.max(0, Math.min(TOP, code));
    }
  }

  @Override
  void encode(float[] values, int from, byte[] block) {
    var fit = new Fit();
    var scales = new float[GROUPS];
    var mins = new float[GROUPS];
    float maxScale = 0;
    float maxMin = 0;
    for (int group = 0; group < GROUPS; group++) {
      fit.fit(values, from + group * GROUP, group);
      scales[group] = fit.scale;
      mins[group] = fit.negativeMin;
      maxScale = scales[group] > maxScale ? scales[group] : maxScale;
      maxMin = mins[group] > maxMin ? mins[group] : maxMin;
    }
    short d = half(maxScale / SCALE_TOP);
    short dMin = half(maxMin / SCALE_TOP);
    float inverseScale = maxScale > 0 ? SCALE_TOP / maxScale : 0;
    float inverseMin = maxMin > 0 ? SCALE_TOP / maxMin : 0;
    for (int group = 0; group < GROUPS; group++) {
      int scale = Math.min(SCALE_TOP, Rounding.nearest(inverseScale * scales[group]) & 0xFF);
      int min = Math.min(SCALE_TOP, Rounding.nearest(inverseMin * mins[group]) & 0xFF);
      scales[group] = scale;
      mins[group] = min;
      float step = Float16.toFloat(d) * scale;
      if (step != 0) {
        float offset = Float16.toFloat(dMin) * min;
        for (int i = group * GROUP; i < (group + 1) * GROUP; i++) {
          fit.codes[i] = Fit.clamp(Rounding.nearest((values[from + i] + offset) / step));
        }
      }
    }
    putHalf(block, 0, d);
    putHalf(block, Short.BYTES, dMin);
    pack(scales, mins, block);
    int at = CODES;
    for (int pair = 0; pair < SIZE; pair += 2 * GROUP) {
      for (int i = pair; i < pair + GROUP; i++) {
        block[at++] = (byte) (fit.codes[i] | fit.codes[i + GROUP] << 4);
      }
    }
  }

  /**
   * Packs 8 scales and 8 minima of 6 bits: those of groups 0 to 3 in the lower bits of bytes 0 to 3
   * and 4 to 7, the lower four bits of the others in bytes 8 to 11, and their upper two in the
   * upper bits of bytes 0 to 3 and 4 to 7.
   */
  private static void pack(float[] scales, float[] mins, byte[] block) {
    for (int i = 0; i < GROUPS / 2; i++) {
      int scale = (int) scales[i + 4];
      int min = (int) mins[i + 4];
      block[SCALES + i] = (byte) ((int) scales[i] | scale >> 4 << 6);
      block[SCALES + i + 4] = (byte) ((int) mins[i] | min >> 4 << 6);
      block[SCALES + i + 8] = (byte) ((scale & 0xF) | (min & 0xF) << 4);
    }
  }

  @Override
  void decode(byte[] block, float[] values, int from) {
    float d = half(block, 0);
    float dMin = half(block, Short.BYTES);
    int at = CODES;
    for (int pair = 0; pair < GROUPS; pair += 2) {
      float lowStep = d * scale(block, pair, 0);
      float lowOffset = dMin * scale(block, pair, 4);
      float highStep = d * scale(block, pair + 1, 0);
      float highOffset = dMin * scale(block, pair + 1, 4);
      for (int i = from + pair * GROUP; i < from + (pair + 1) * GROUP; i++) {
        int codes = block[at++];
        values[i] = lowStep * (codes & 0xF) - lowOffset;
        values[i + GROUP] = highStep * (codes >> 4 & 0xF) - highOffset;
      }
    }
  }

  /**
   * The scale or minimum of a group.
   *
   * @param place 0 for scales, 4 for minima
   */
  private static int scale(byte[] block, int group, int place) {
    if (group < 4) {
      return block[SCALES + group + place] & SCALE_TOP;
    }
    int low = block[SCALES + group + 4] >> place & 0xF;
    return low | (block[SCALES + group - 4 + place] & 0xC0) >> 2;
  }
}
