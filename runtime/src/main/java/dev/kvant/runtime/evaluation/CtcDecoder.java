package dev.kvant.runtime.evaluation;

import java.util.Arrays;

/**
 * Reads the text of outputs that were trained with CTC, greedily: the position with the largest
 * output at each step, equal neighbours as one, blanks left out. Source: A. Graves et al.,
 * "Connectionist Temporal Classification", ICML 2006, section 3.2 (best path decoding).
 */
final class CtcDecoder {

  /** The position of the blank in the alphabet. */
  static final int BLANK = 0;

  private CtcDecoder() {}

  /**
   * The text of one sample.
   *
   * @param outputs the values of all steps
   * @param from where the first step of the sample begins
   * @param steps how many steps there are
   * @param stride how many values lie from one step to the next
   * @param alphabet how many values a step has, from its beginning
   * @return positions in the alphabet, none of them the blank; of equal values the first is chosen,
   *     and a NaN is never
   */
  static int[] decode(float[] outputs, int from, int steps, int stride, int alphabet) {
    int[] text = new int[steps];
    int length = 0;
    int previous = BLANK;
    for (int step = 0; step < steps; step++) {
      int begin = from + step * stride;
      int best = 0;
      float largest = Float.NEGATIVE_INFINITY;
      for (int i = 0; i < alphabet; i++) {
        if (outputs[begin + i] > largest) {
          largest = outputs[begin + i];
          best = i;
        }
      }
      if (best != BLANK && best != previous) {
        text[length++] = best;
      }
      previous = best;
    }
    return Arrays.copyOf(text, length);
  }
}
