package dev.kvant.numerics;

import dev.kvant.numerics.observer.Gram;
import java.util.Optional;

/**
 * Quantizes the weights of a layer in blocks so that its outputs change least: {@code sum (q x - w
 * x)^2} over the observed inputs {@code x}. Each weight in turn is rounded to its code, and the
 * weights behind it make up for what the rounding changed.
 *
 * <p>With {@code H = X^T X + d I}, where {@code d} is a share of the mean of the diagonal of {@code
 * X^T X}, and {@code H = V V^T} for an upper triangular {@code V}, the change {@code e = q - w}
 * costs {@code sum_j (V_jj e_j + y_j)^2} with {@code y_j = sum_(k<j) V_kj e_k}. Weight {@code j} is
 * rounded from {@code w_j - y_j / V_jj}. When the first weight of a block comes, its scale and zero
 * point are searched for the block's weights after all earlier changes, weighted by {@code V_jj^2}:
 * what an error of weight {@code j} costs if all weights behind it make up for it.
 *
 * <p>With given steps these are the codes of GPTQ (Frantar and others, 2022, arXiv:2210.17323),
 * whose update by the Cholesky factor {@code U} of the inverse of {@code H} is the same: {@code U =
 * V^-1}. The inverse itself is not needed. Instances are immutable and thread-safe.
 *
 * @since 0.1.0
 */
public final class Gptq {

  private final double[][] factor;
  private final double[] importance;

  private Gptq(double[][] factor, double[] importance) {
    this.factor = factor;
    this.importance = importance;
  }

  /**
   * Prepares for the inputs of a layer.
   *
   * @param inputs the products of all inputs
   * @param damping the share of the mean of the diagonal that is added to it, above 0
   * @return empty if all inputs were zero
   * @throws IllegalArgumentException if {@code damping} is not positive
   * @throws IllegalStateException if only squares of the inputs are known
   */
  public static Optional<Gptq> of(Gram inputs, double damping) {
    if (!(damping > 0)) {
      throw new IllegalArgumentException("damping must be above 0, was " + damping);
    }
    int size = inputs.size();
    double[][] rows = new double[size][];
    double mean = 0;
    for (int i = 0; i < size; i++) {
      rows[i] = inputs.row(i);
      mean += rows[i][0] / size;
    }
    if (mean == 0) {
      return Optional.empty();
    }
    for (double[] row : rows) {
      row[0] += damping * mean;
    }
    factorize(rows);
    double[] importance = new double[size];
    for (int i = 0; i < size; i++) {
      importance[i] = rows[i][0] * rows[i][0];
    }
    return Optional.of(new Gptq(rows, importance));
  }

  /** Replaces the upper half of a positive definite matrix by its factor. */
  private static void factorize(double[][] rows) {
    double[] column = new double[rows.length];
    for (int j = rows.length - 1; j >= 0; j--) {
      double pivot = Math.sqrt(rows[j][0]);
      if (!(pivot > 0)) {
        throw new ArithmeticException("the products of the inputs are not positive definite");
      }
      for (int i = 0; i <= j; i++) {
        column[i] = rows[i][j - i] / pivot;
        rows[i][j - i] = column[i];
      }
      for (int i = 0; i < j; i++) {
        double[] row = rows[i];
        double factor = column[i];
        if (factor != 0) {
          for (int k = i; k < j; k++) {
            row[k - i] -= factor * column[k];
          }
        }
      }
    }
  }

  /** The length of the inputs, and of the rows of weights. */
  public int size() {
    return factor.length;
  }

  /**
   * Quantizes rows of weights.
   *
   * @param values the rows {@code [rows, size]}, one after the other, finite
   * @param quantizer computes codes
   * @param blockSize how many weights share a step
   * @param steps receives the step of block {@code b} of row {@code r} at {@code r * blocks + b}
   * @param codes receives the code of each weight, as an unsigned byte
   * @throws NonFiniteValueException if a weight is NaN or infinite
   * @throws IllegalArgumentException if the sizes do not match
   */
  public void quantize(
      float[] values, BlockQuantizer quantizer, int blockSize, BlockStep[] steps, byte[] codes) {
    int size = size();
    int blocks = (size + blockSize - 1) / blockSize;
    int rows = values.length / size;
    if (values.length % size != 0
        || codes.length != values.length
        || steps.length != rows * blocks) {
      throw new IllegalArgumentException(
          "values, steps and codes: %d, %d and %d are not those of rows of %d weights in %d blocks"
              .formatted(values.length, steps.length, codes.length, size, blocks));
    }
    BlockSearch search = new BlockSearch(quantizer);
    double[][] behind = new double[rows][size];
    double[][] changes = new double[rows][blockSize];
    float[] updated = new float[blockSize];
    for (int block = 0; block < blocks; block++) {
      int from = block * blockSize;
      int to = Math.min(size, from + blockSize);
      for (int row = 0; row < rows; row++) {
        update(values, row, from, to, behind[row], updated);
        BlockStep step = search(search, values, row * size + from, updated, from, to);
        steps[row * blocks + block] = step;
        for (int j = from; j < to; j++) {
          float weight = values[row * size + j];
          float target = (float) (weight - behind[row][j] / factor[j][0]);
          int code = quantizer.encode(target, step);
          codes[row * size + j] = (byte) code;
          double change = (double) quantizer.decode(code, step) - weight;
          changes[row][j - from] = change;
          add(behind[row], factor[j], j, j + 1, to, change);
        }
      }
      // Block by block, so that a row of the factor is read once for all rows of weights.
      for (int j = from; j < to; j++) {
        for (int row = 0; row < rows; row++) {
          add(behind[row], factor[j], j, to, size, changes[row][j - from]);
        }
      }
    }
  }

  private BlockStep search(
      BlockSearch search, float[] values, int first, float[] updated, int from, int to) {
    for (int i = 0; i < to - from; i++) {
      if (!Float.isFinite(values[first + i])) {
        throw new NonFiniteValueException(first + i, values[first + i]);
      }
    }
    return search.step(updated, 0, to - from, importance, from);
  }

  /** The weights of a block that make up for all earlier changes. */
  private void update(float[] values, int row, int from, int to, double[] behind, float[] updated) {
    double[] own = new double[to - from];
    System.arraycopy(behind, from, own, 0, own.length);
    for (int j = from; j < to; j++) {
      double change = -own[j - from] / factor[j][0];
      updated[j - from] = (float) (values[row * size() + j] + change);
      for (int k = j + 1; k < to; k++) {
        own[k - from] += factor[j][k - j] * change;
      }
    }
  }

  /** Adds a multiple of a row of the factor to what lies behind it. */
  private static void add(
      double[] behind, double[] factorRow, int row, int from, int to, double multiple) {
    for (int k = from; k < to; k++) {
      behind[k] += factorRow[k - row] * multiple;
    }
  }
}
