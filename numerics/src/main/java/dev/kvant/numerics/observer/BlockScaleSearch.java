package dev.kvant.numerics.observer;

import dev.kvant.numerics.BlockQuantizer;
import dev.kvant.numerics.BlockSearch;
import dev.kvant.numerics.BlockStep;
import java.util.List;
import java.util.Optional;

/**
 * Searches by what the input channels of weights should be multiplied before these are quantized in
 * blocks, so that the weights of the channels with the most power lose least. The inputs are
 * divided by the same factors.
 *
 * <p>The factor of channel {@code j} is {@code (E[x_j^2])^(alpha/2)}, divided by the geometric mean
 * of all factors. The search multiplies a sample of rows of inputs by a sample of weights,
 * quantized with the steps of {@link BlockSearch}, and takes the alpha with the least squared error
 * of the products. Source: Lin et al., AWQ, 2023 (arXiv:2306.00978), which takes {@code E|x_j|} for
 * the power and the mean of the largest and the smallest factor for the geometric mean.
 *
 * @since 0.1.0
 */
public final class BlockScaleSearch {

  /** The last candidate, in hundredths. */
  private static final int LAST = 90;

  private static final int STEP = 15;

  /** Multiplying must remove at least this part of the error. */
  private static final double WORTHWHILE = 0.05;

  /** Factors are at most this times their geometric mean, and at least their mean by this. */
  private static final double LARGEST_RATIO = 1 << 16;

  /**
   * The best choice.
   *
   * @param alpha how much of the power of inputs moves, a multiple of 0.15 from 0.15 to 0.9
   * @param error the error of the products with it, as a part of that without factors
   */
  public record Choice(double alpha, double error) {}

  private BlockScaleSearch() {}

  /**
   * Returns the factors of the channels.
   *
   * @param squares the sum or mean of the squares of each channel, finite and not negative
   * @param alpha from 0 to 1
   * @return positive factors, one for each channel; a channel that is always zero counts as the
   *     smallest one that is not
   */
  public static float[] factors(double[] squares, double alpha) {
    double smallest = Double.POSITIVE_INFINITY;
    for (double square : squares) {
      if (square > 0) {
        smallest = Math.min(smallest, square);
      }
    }
    double[] logarithms = new double[squares.length];
    double mean = 0;
    for (int channel = 0; channel < squares.length; channel++) {
      double square = Math.max(squares[channel], Double.isInfinite(smallest) ? 1 : smallest);
      logarithms[channel] = alpha / 2 * StrictMath.log(square);
      mean += logarithms[channel] / squares.length;
    }
    double limit = StrictMath.log(LARGEST_RATIO);
    float[] factors = new float[squares.length];
    for (int channel = 0; channel < factors.length; channel++) {
      double centered = Math.max(-limit, Math.min(limit, logarithms[channel] - mean));
      factors[channel] = (float) StrictMath.exp(centered);
    }
    return factors;
  }

  /**
   * Searches the best alpha.
   *
   * @param rows a sample of inputs of K channels, at least one
   * @param squares the sum or mean of the squares of each of the K channels
   * @param weights some columns of the weights, [K][N]
   * @param quantizer computes codes
   * @param blockSize how many weights of a column share a step
   * @return empty if no alpha lowers the error by at least a twentieth
   * @throws IllegalArgumentException if the numbers of channels differ, or there are no rows
   */
  public static Optional<Choice> best(
      List<float[]> rows,
      double[] squares,
      float[][] weights,
      BlockQuantizer quantizer,
      int blockSize) {
    int channels = squares.length;
    if (rows.isEmpty()
        || weights.length != channels
        || rows.stream().anyMatch(row -> row.length != channels)) {
      throw new IllegalArgumentException(
          "rows, squares and weights must have the same channels, and there must be rows");
    }
    BlockSearch search = new BlockSearch(quantizer);
    double without = error(rows, squares, weights, search, quantizer, blockSize, 0);
    double least = without * (1 - WORTHWHILE);
    Optional<Choice> best = Optional.empty();
    for (int hundredths = STEP; hundredths <= LAST; hundredths += STEP) {
      double alpha = hundredths / 100.0;
      double error = error(rows, squares, weights, search, quantizer, blockSize, alpha);
      if (error < least) {
        least = error;
        best = Optional.of(new Choice(alpha, error / without));
      }
    }
    return best;
  }

  private static double error(
      List<float[]> rows,
      double[] squares,
      float[][] weights,
      BlockSearch search,
      BlockQuantizer quantizer,
      int blockSize,
      double alpha) {
    int channels = squares.length;
    float[] factors = factors(squares, alpha);
    double[] importance = new double[channels];
    for (int channel = 0; channel < channels; channel++) {
      importance[channel] = squares[channel] / factors[channel] / factors[channel];
    }
    float[] scaled = new float[channels];
    float[] change = new float[channels];
    double error = 0;
    for (int output = 0; output < weights[0].length; output++) {
      for (int channel = 0; channel < channels; channel++) {
        scaled[channel] = weights[channel][output] * factors[channel];
      }
      for (int from = 0; from < channels; from += blockSize) {
        int to = Math.min(channels, from + blockSize);
        BlockStep step = search.step(scaled, from, to, importance, from);
        for (int channel = from; channel < to; channel++) {
          float restored = quantizer.decode(quantizer.encode(scaled[channel], step), step);
          change[channel] = (restored - scaled[channel]) / factors[channel];
        }
      }
      for (float[] row : rows) {
        double product = 0;
        for (int channel = 0; channel < channels; channel++) {
          product += row[channel] * change[channel];
        }
        error += product * product;
      }
    }
    return error;
  }
}
