package dev.kvant.numerics.observer;

import dev.kvant.numerics.ChannelSmoothing;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
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
 * <p>The rows are in four parts. Each part is judged by the ranges of channels that all other rows
 * have, those behind the sample among them: a large alpha gives all channels one range, which new
 * data exceeds in any of them. Where the part itself holds the end of a channel's range, the end
 * among the sampled rows of the other parts takes its place.
 *
 * @since 0.1.0
 */
public final class SmoothingSearch {

  /** The first candidate, in hundredths. */
  private static final int FIRST = 30;

  /** The last candidate, in hundredths. */
  private static final int LAST = 95;

  private static final int STEP = 5;

  /** How many parts the rows are in at most. */
  private static final int PARTS = 4;

  /** Smoothing must remove at least this part of the error. */
  private static final double WORTHWHILE = 0.05;

  /**
   * What range activations are quantized to.
   *
   * @since 0.1.0
   */
  public enum Ranges {
    /** That of the data that was observed: what exceeds it is clipped. */
    CALIBRATED,
    /**
     * That of the values that are quantized at once: a value that exceeds others makes it larger.
     */
    DYNAMIC
  }

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
  private final Ranges ranges;
  private final List<Part> parts;

  /**
   * Some of the rows, to be quantized by what all others tell.
   *
   * @param others the ranges of all others
   * @param own the ranges of the rows
   * @param rows the rows
   * @param products the rows times the weights
   */
  @SuppressWarnings("ArrayRecordComponent") // never visible outside of this class
  private record Part(
      ChannelStatistics others, ChannelStatistics own, List<float[]> rows, float[][] products) {}

  private SmoothingSearch(
      ChannelStatistics activations,
      float[] weightAmax,
      float[][] weights,
      Grid grid,
      int largestCode,
      Ranges ranges) {
    this.largestCode = largestCode;
    this.weightAmax = weightAmax;
    this.weights = weights;
    this.grid = grid;
    this.ranges = ranges;
    this.parts = parts(activations);
  }

  private List<Part> parts(ChannelStatistics all) {
    List<float[]> rows = all.rows();
    if (rows.size() == 1) {
      return List.of(new Part(all, all, rows, multiply(rows, weights)));
    }
    int count = Math.min(PARTS, rows.size());
    List<Part> made = new ArrayList<>();
    for (int part = 0; part < count; part++) {
      int from = part * rows.size() / count;
      int to = (part + 1) * rows.size() / count;
      List<float[]> within = rows.subList(from, to);
      List<float[]> outside = new ArrayList<>(rows.subList(0, from));
      outside.addAll(rows.subList(to, rows.size()));
      ChannelStatistics own = observed(within);
      made.add(
          new Part(without(all, own, observed(outside)), own, within, multiply(within, weights)));
    }
    return List.copyOf(made);
  }

  /**
   * The ranges that all rows but some have.
   *
   * @param all the ranges of all rows
   * @param own those of the rows that are left out
   * @param sampled those of the other rows of the sample
   */
  private static ChannelStatistics without(
      ChannelStatistics all, ChannelStatistics own, ChannelStatistics sampled) {
    float[] mins = all.mins().clone();
    float[] maxs = all.maxs().clone();
    for (int channel = 0; channel < mins.length; channel++) {
      if (own.mins()[channel] <= mins[channel]) {
        mins[channel] = sampled.mins()[channel];
      }
      if (own.maxs()[channel] >= maxs[channel]) {
        maxs[channel] = sampled.maxs()[channel];
      }
    }
    return new ChannelStatistics(mins, maxs, new TreeMap<>());
  }

  private static ChannelStatistics observed(List<float[]> rows) {
    var observer = new ChannelObserver();
    for (float[] row : rows) {
      observer.observe(FloatBuffer.wrap(row), row.length);
    }
    return observer.statistics().orElseThrow();
  }

  /**
   * Searches the best alpha.
   *
   * @param activations what was observed of the activations, [K] channels
   * @param weightAmax the largest magnitude of each of the K input channels of all weights
   * @param weights some columns of the weights, [K][N]
   * @param grid what activations are quantized to
   * @param largestCode the number of steps of a weight on either side of zero, at least 1
   * @param ranges what range activations are quantized to
   * @return empty if no alpha lowers the error by at least a twentieth
   * @throws IllegalArgumentException if the numbers of channels differ, or there is no code
   */
  public static Optional<Choice> best(
      ChannelStatistics activations,
      float[] weightAmax,
      float[][] weights,
      Grid grid,
      int largestCode,
      Ranges ranges) {
    if (largestCode < 1) {
      throw new IllegalArgumentException("largestCode must be at least 1, was " + largestCode);
    }
    if (weightAmax.length != activations.channels() || weights.length != weightAmax.length) {
      throw new IllegalArgumentException(
          "activations and weights must have the same channels, were %d, %d and %d"
              .formatted(activations.channels(), weightAmax.length, weights.length));
    }
    return new SmoothingSearch(activations, weightAmax, weights, grid, largestCode, ranges).best();
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
    for (Part part : parts) {
      sum += error(part, factorsOf.apply(part.others().amax()));
    }
    return sum;
  }

  private double error(Part part, float[] factors) {
    float[] reciprocals = ChannelSmoothing.reciprocals(factors);
    ChannelStatistics known = ranges == Ranges.DYNAMIC ? part.own() : part.others();
    AffineStep step = grid.step(known.scaledRange(reciprocals));
    List<float[]> restored = new ArrayList<>();
    for (float[] row : part.rows()) {
      float[] quantized = new float[factors.length];
      for (int channel = 0; channel < factors.length; channel++) {
        quantized[channel] = (float) grid.restore(row[channel] * reciprocals[channel], step);
      }
      restored.add(quantized);
    }
    float[][] quantized = multiply(restored, quantized(factors));
    double sum = 0;
    for (int row = 0; row < quantized.length; row++) {
      sum += error(part.products()[row], quantized[row]);
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
