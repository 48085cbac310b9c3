package dev.kvant.numerics;

import org.jspecify.annotations.Nullable;

/**
 * Finds the scale and the zero point of a block of weights with the least weighted squared error
 * {@code sum h_i (w_i - (q_i - zeroPoint) * scale)^2}, in float64.
 *
 * <p>The search begins with {@link BlockQuantizer#step}. It tries the zero points around that of
 * the block's range, and for each of them scales from that which spans the block down to half of
 * it, each followed by the scale that fits its codes best, {@code sum h_i w_i c_i / sum h_i c_i^2}
 * with {@code c_i = q_i - zeroPoint}. The result is never worse than the range of the block.
 *
 * <p>With the mean squares of the inputs as {@code h} this is the error of a layer's output, if its
 * inputs are independent of each other. Instances are immutable and thread-safe.
 *
 * @since 0.1.0
 */
public final class BlockSearch {

  /** How many scales are tried for each zero point. */
  private static final int SCALES = 16;

  /** By how much of the spanning scale they differ. */
  private static final double STEP = 1.0 / 32;

  /** How many zero points are tried on each side of that of the range. */
  private static final int NEIGHBOURS = 2;

  private final BlockQuantizer quantizer;

  /** Creates a search for the steps of a quantizer. */
  public BlockSearch(BlockQuantizer quantizer) {
    this.quantizer = quantizer;
  }

  /**
   * Returns the step of a block.
   *
   * @param values holds the block
   * @param from the index of its first element
   * @param to the index behind its last
   * @param importance what the squared error of each element counts, not negative; null if all
   *     count the same. Also if none counts anything, all count the same
   * @param importanceFrom the index in {@code importance} of the block's first element
   * @throws NonFiniteValueException if a weight is NaN or infinite
   */
  public BlockStep step(
      float[] values, int from, int to, double @Nullable [] importance, int importanceFrom) {
    Search search = new Search(values, from, to, importance, importanceFrom);
    BlockStep spanning = quantizer.step(values, from, to);
    search.accept(spanning);
    double min = 0;
    double max = 0;
    for (int i = from; i < to; i++) {
      min = Math.min(min, values[i]);
      max = Math.max(max, values[i]);
    }
    if (min == max) {
      return spanning;
    }
    if (quantizer.isSymmetric()) {
      search.around(min, max, quantizer.middle(), 1);
      search.around(min, max, quantizer.middle(), -1);
    } else {
      int first = Math.max(0, spanning.zeroPoint() - NEIGHBOURS);
      int last = Math.min(quantizer.largest(), spanning.zeroPoint() + NEIGHBOURS);
      for (int zeroPoint = first; zeroPoint <= last; zeroPoint++) {
        search.around(min, max, zeroPoint, 1);
      }
    }
    return search.best;
  }

  /** The search in one block. */
  private final class Search {

    private final float[] values;
    private final int from;
    private final int to;
    private final double @Nullable [] importance;
    private final int shift;
    private BlockStep best = new BlockStep(1, 0);
    private double least = Double.POSITIVE_INFINITY;

    Search(float[] values, int from, int to, double @Nullable [] importance, int importanceFrom) {
      this.values = values;
      this.from = from;
      this.to = to;
      this.shift = importanceFrom - from;
      double sum = 0;
      for (int i = from; importance != null && i < to; i++) {
        sum += importance[i + shift];
      }
      this.importance = sum > 0 ? importance : null;
    }

    private double importance(int index) {
      return importance == null ? 1 : importance[index + shift];
    }

    /** Tries scales for a zero point. */
    void around(double min, double max, int zeroPoint, int sign) {
      double low = sign > 0 ? -min : max;
      double high = sign > 0 ? max : -min;
      double spanning = 0;
      if (zeroPoint > 0) {
        spanning = low / zeroPoint;
      }
      if (zeroPoint < quantizer.largest()) {
        spanning = Math.max(spanning, high / (quantizer.largest() - zeroPoint));
      }
      for (int i = 0; i < SCALES; i++) {
        accept(sign * spanning * (1 - i * STEP), zeroPoint);
      }
    }

    private void accept(double scale, int zeroPoint) {
      if (Math.abs((float) scale) < Float.MIN_NORMAL || !Float.isFinite((float) scale)) {
        return;
      }
      BlockStep step = new BlockStep((float) scale, zeroPoint);
      accept(step);
      double product = 0;
      double square = 0;
      for (int i = from; i < to; i++) {
        int code = quantizer.encode(values[i], step) - zeroPoint;
        product += importance(i) * values[i] * code;
        square += importance(i) * code * code;
      }
      float fitting = (float) (product / square);
      if (square > 0 && Math.abs(fitting) >= Float.MIN_NORMAL && Float.isFinite(fitting)) {
        accept(new BlockStep(fitting, zeroPoint));
      }
    }

    void accept(BlockStep step) {
      double error = 0;
      for (int i = from; i < to && error < least; i++) {
        double difference =
            values[i] - (double) quantizer.decode(quantizer.encode(values[i], step), step);
        error += importance(i) * difference * difference;
      }
      if (error < least) {
        least = error;
        best = step;
      }
    }
  }
}
