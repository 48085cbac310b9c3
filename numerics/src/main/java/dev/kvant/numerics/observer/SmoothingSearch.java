package dev.kvant.numerics.observer;

import dev.kvant.numerics.ChannelSmoothing;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Searches how much of the spread of activations should move into weights, see {@link
 * ChannelSmoothing}.
 *
 * <p>Multiplies a sample of rows of activations by a sample of columns of weights, both quantized,
 * and compares the products with those of the values themselves: the squared error of each row as a
 * part of its power, summed over rows. Activations are quantized to their whole range, a weight to
 * the same number of steps on either side of zero with a scale for each column.
 *
 * <p>The rows are in two halves, and the ranges of one half quantize the other. A large alpha gives
 * all channels one range, beyond which new data clips any of them; with an alpha chosen on the data
 * that the ranges are from, nothing is ever clipped.
 *
 * @since 0.1.0
 */
public final class SmoothingSearch {

  /** The first candidate, in hundredths. */
  private static final int FIRST = 30;

  /** The last candidate, in hundredths. */
  private static final int LAST = 95;

  private static final int STEP = 5;

  /** Smoothing must remove at least this part of the error. */
  private static final double WORTHWHILE = 0.05;

  /**
   * The best choice.
   *
   * @param alpha how much of the spread moves, a multiple of 0.05 from 0.3 to 0.95
   * @param error the error of the products with it, as a part of that without smoothing
   */
  public record Choice(double alpha, double error) {}

  private final float[] weightAmax;
  private final Grid grid;
  private final int largestCode;
  private final float[][] weights;
  private final List<Fold> folds;

  /**
   * Half of the rows, to be quantized by what the other half tells.
   *
   * @param others the ranges of the other half
   * @param rows the rows
   * @param products the rows times the weights
   */
  @SuppressWarnings("ArrayRecordComponent") // never visible outside of this class
  private record Fold(ChannelStatistics others, List<float[]> rows, float[][] products) {}

  private SmoothingSearch(
      ChannelStatistics activations,
      float[] weightAmax,
      float[][] weights,
      Grid grid,
      int largestCode) {
    this.largestCode = largestCode;
    this.weightAmax = weightAmax;
    this.weights = weights;
    this.grid = grid;
    List<float[]> rows = activations.rows();
    if (rows.size() == 1) {
      this.folds = List.of(new Fold(activations, rows, multiply(rows, weights)));
    } else {
      List<float[]> one = rows.subList(0, rows.size() / 2);
      List<float[]> other = rows.subList(rows.size() / 2, rows.size());
      this.folds = List.of(fold(one, other), fold(other, one));
    }
  }

  private Fold fold(List<float[]> rows, List<float[]> others) {
    var observer = new ChannelObserver();
    for (float[] row : others) {
      observer.observe(FloatBuffer.wrap(row), row.length);
    }
    return new Fold(observer.statistics().orElseThrow(), rows, multiply(rows, weights));
  }

  /**
   * Searches the best alpha.
   *
   * @param activations what was observed of the activations, [K] channels
   * @param weightAmax the largest magnitude of each of the K input channels of all weights
   * @param weights some columns of the weights, [K][N]
   * @param grid what activations are quantized to
   * @param largestCode the number of steps of a weight on either side of zero, at least 1
   * @return empty if no alpha lowers the error by at least a twentieth
   * @throws IllegalArgumentException if the numbers of channels differ, or there is no code
   */
  public static Optional<Choice> best(
      ChannelStatistics activations,
      float[] weightAmax,
      float[][] weights,
      Grid grid,
      int largestCode) {
    if (largestCode < 1) {
      throw new IllegalArgumentException("largestCode must be at least 1, was " + largestCode);
    }
    if (weightAmax.length != activations.channels() || weights.length != weightAmax.length) {
      throw new IllegalArgumentException(
          "activations and weights must have the same channels, were %d, %d and %d"
              .formatted(activations.channels(), weightAmax.length, weights.length));
    }
    return new SmoothingSearch(activations, weightAmax, weights, grid, largestCode).best();
  }

  private Optional<Choice> best() {
    float[] ones = new float[weightAmax.length];
    Arrays.fill(ones, 1);
    double without = error(amax -> ones);
    double least = without * (1 - WORTHWHILE);
    Optional<Choice> best = Optional.empty();
    for (int hundredths = FIRST; hundredths <= LAST; hundredths += STEP) {
      double alpha = hundredths / 100.0;
      double error = error(amax -> ChannelSmoothing.factors(amax, weightAmax, alpha));
      if (error < least) {
        least = error;
        best = Optional.of(new Choice(alpha, error / without));
      }
    }
    return best;
  }

  /** The sum of the errors of all rows, if the maxima of channels give those factors. */
  private double error(UnaryOperator<float[]> factorsOf) {
    double sum = 0;
    for (Fold fold : folds) {
      sum += error(fold, factorsOf.apply(fold.others().amax()));
    }
    return sum;
  }

  private double error(Fold fold, float[] factors) {
    float[] reciprocals = ChannelSmoothing.reciprocals(factors);
    AffineStep step = grid.step(fold.others().scaledRange(reciprocals));
    List<float[]> restored = new ArrayList<>();
    for (float[] row : fold.rows()) {
      float[] quantized = new float[factors.length];
      for (int channel = 0; channel < factors.length; channel++) {
        quantized[channel] = (float) grid.restore(row[channel] * reciprocals[channel], step);
      }
      restored.add(quantized);
    }
    float[][] quantized = multiply(restored, quantized(factors));
    double sum = 0;
    for (int row = 0; row < quantized.length; row++) {
      sum += error(fold.products()[row], quantized[row]);
    }
    return sum;
  }

  /** The squared error of a row, as a part of its power. */
  private static double error(float[] products, float[] quantized) {
    double error = 0;
    double signal = 0;
    for (int column = 0; column < products.length; column++) {
      double difference = (double) quantized[column] - products[column];
      error += difference * difference;
      signal += (double) products[column] * products[column];
    }
    return signal == 0 ? 0 : error / signal;
  }

  private float[][] quantized(float[] factors) {
    int columns = weights[0].length;
    double[] scales = new double[columns];
    for (int channel = 0; channel < weights.length; channel++) {
      for (int column = 0; column < columns; column++) {
        double magnitude = Math.abs((double) weights[channel][column] * factors[channel]);
        scales[column] = Math.max(scales[column], magnitude / largestCode);
      }
    }
    float[][] quantized = new float[weights.length][columns];
    for (int channel = 0; channel < weights.length; channel++) {
      for (int column = 0; column < columns; column++) {
        double scale = scales[column];
        quantized[channel][column] =
            scale == 0
                ? 0
                : (float)
                    (Math.rint((double) weights[channel][column] * factors[channel] / scale)
                        * scale);
      }
    }
    return quantized;
  }

  /** The products of rows of length K with a matrix [K][N], one after the other. */
  private static float[][] multiply(List<float[]> rows, float[][] matrix) {
    int columns = matrix[0].length;
    float[][] products = new float[rows.size()][columns];
    for (int row = 0; row < products.length; row++) {
      float[] sums = products[row];
      float[] factors = rows.get(row);
      for (int channel = 0; channel < matrix.length; channel++) {
        float factor = factors[channel];
        float[] weights = matrix[channel];
        for (int column = 0; column < columns; column++) {
          sums[column] += factor * weights[column];
        }
      }
    }
    return products;
  }
}
