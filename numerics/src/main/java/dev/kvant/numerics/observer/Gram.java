package dev.kvant.numerics.observer;

import java.util.Arrays;

/**
 * The sums of products {@code sum x_i x_j} over vectors that a layer read, {@code X^T X}; or only
 * the sums of squares {@code sum x_i^2}, where there is no room for all products.
 *
 * <p>In float64, vector by vector in the order in which they are observed: the same vectors in the
 * same order give the same sums however they are cut into pieces, and however many threads add them
 * up. Sums that are merged may differ in their last bits from those of all vectors at once.
 *
 * @since 0.1.0
 */
public final class Gram {

  private final int size;
  private final boolean isDiagonal;
  private final double[][] rows;
  private long count;

  private Gram(int size, boolean isDiagonal) {
    if (size < 1) {
      throw new IllegalArgumentException("size must be at least 1, was " + size);
    }
    this.size = size;
    this.isDiagonal = isDiagonal;
    this.rows = new double[isDiagonal ? 1 : size][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = new double[isDiagonal ? size : size - i];
    }
  }

  /**
   * Sums of all products, nothing observed yet.
   *
   * @param size the length of the vectors, at least 1
   */
  public static Gram ofProducts(int size) {
    return new Gram(size, false);
  }

  /**
   * Sums of squares only, nothing observed yet.
   *
   * @param size the length of the vectors, at least 1
   */
  public static Gram ofSquares(int size) {
    return new Gram(size, true);
  }

  /**
   * How many bytes the sums of all products take.
   *
   * @param size the length of the vectors
   */
  public static long bytes(int size) {
    return Double.BYTES * ((long) size * (size + 1) / 2);
  }

  /** The length of the vectors. */
  public int size() {
    return size;
  }

  /** Whether only squares were summed up. */
  public boolean isDiagonal() {
    return isDiagonal;
  }

  /** How many vectors were observed. */
  public long count() {
    return count;
  }

  /**
   * Adds vectors.
   *
   * @param vectors one after the other, as many values as whole vectors have
   */
  public void observe(float[] vectors) {
    count(vectors);
    addRows(vectors, 0, size);
  }

  /**
   * Counts vectors, whose products {@link #addRows} adds.
   *
   * @throws IllegalArgumentException if they are not whole vectors
   */
  public void count(float[] vectors) {
    if (vectors.length % size != 0) {
      throw new IllegalArgumentException(
          "vectors must hold whole vectors of %d values, has %d values"
              .formatted(size, vectors.length));
    }
    count += vectors.length / size;
  }

  /**
   * Adds the products of vectors to some rows of the sums. Several threads can add to rows of their
   * own at once.
   *
   * @param vectors one after the other
   * @param from the first row
   * @param to the row behind the last
   */
  public void addRows(float[] vectors, int from, int to) {
    if (isDiagonal) {
      for (int first = 0; first < vectors.length; first += size) {
        for (int i = from; i < to; i++) {
          rows[0][i] += (double) vectors[first + i] * vectors[first + i];
        }
      }
      return;
    }
    for (int i = from; i < to; i++) {
      double[] row = rows[i];
      for (int first = i; first < vectors.length; first += size) {
        double value = vectors[first];
        if (value != 0) {
          for (int k = 0; k < row.length; k++) {
            row[k] += value * vectors[first + k];
          }
        }
      }
    }
  }

  /** The sums of squares of each element. */
  public double[] squares() {
    double[] squares = new double[size];
    for (int i = 0; i < size; i++) {
      squares[i] = isDiagonal ? rows[0][i] : rows[i][0];
    }
    return squares;
  }

  /**
   * Row {@code i} of the sums from its diagonal on: the sums for {@code i, i}, {@code i, i+1} and
   * so on. A copy.
   *
   * @throws IllegalStateException if only squares were summed up
   */
  public double[] row(int i) {
    if (isDiagonal) {
      throw new IllegalStateException("only squares were summed up");
    }
    return rows[i].clone();
  }

  /**
   * All sums as they are kept: those of {@link #row}, one row after the other, or the squares.
   *
   * @return a copy
   */
  public double[] sums() {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
  }

  /**
   * Sums that were kept.
   *
   * @param size the length of the vectors
   * @param isDiagonal whether only squares were summed up
   * @param count how many vectors were observed
   * @param sums as {@link #sums()} gave them
   * @throws IllegalArgumentException if they are not as many as that, or not finite
   */
  public static Gram of(int size, boolean isDiagonal, long count, double[] sums) {
    if (sums.length != (isDiagonal ? size : bytes(size) / Double.BYTES) || count < 0) {
      throw new IllegalArgumentException(
          "sums: %d are not those of %d vectors of %d values".formatted(sums.length, count, size));
    }
    if (!Arrays.stream(sums).allMatch(Double::isFinite)) {
      throw new IllegalArgumentException("sums must be finite");
    }
    Gram gram = new Gram(size, isDiagonal);
    gram.count = count;
    int from = 0;
    for (double[] row : gram.rows) {
      System.arraycopy(sums, from, row, 0, row.length);
      from += row.length;
    }
    return gram;
  }

  /**
   * The sums over the vectors of both. Only squares, if one of them has only these.
   *
   * @throws IllegalArgumentException if their vectors have different lengths
   */
  public Gram plus(Gram other) {
    if (size != other.size) {
      throw new IllegalArgumentException(
          "other: its vectors have %d values, not %d".formatted(other.size, size));
    }
    Gram sum = new Gram(size, isDiagonal || other.isDiagonal);
    sum.count = count + other.count;
    if (sum.isDiagonal) {
      double[] ours = squares();
      double[] theirs = other.squares();
      Arrays.setAll(sum.rows[0], i -> ours[i] + theirs[i]);
      return sum;
    }
    for (int i = 0; i < size; i++) {
      double[] ours = rows[i];
      double[] theirs = other.rows[i];
      Arrays.setAll(sum.rows[i], k -> ours[k] + theirs[k]);
    }
    return sum;
  }

  /**
   * The sums for vectors of which each element is multiplied by a factor.
   *
   * @param factors one for each element, finite
   * @throws IllegalArgumentException if there are more or fewer
   */
  public Gram scaled(float[] factors) {
    if (factors.length != size) {
      throw new IllegalArgumentException(
          "factors: %d are not those of vectors of %d values".formatted(factors.length, size));
    }
    Gram scaled = new Gram(size, isDiagonal);
    scaled.count = count;
    for (int i = 0; i < rows.length; i++) {
      for (int k = 0; k < rows[i].length; k++) {
        double product = isDiagonal ? factors[k] : factors[i];
        scaled.rows[i][k] = rows[i][k] * product * factors[isDiagonal ? k : i + k];
      }
    }
    return scaled;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Gram gram
        && size == gram.size
        && isDiagonal == gram.isDiagonal
        && count == gram.count
        && Arrays.deepEquals(rows, gram.rows);
  }

  @Override
  public int hashCode() {
    return 31 * Long.hashCode(count) + Arrays.deepHashCode(rows);
  }

  @Override
  public String toString() {
    return "%s of %d vectors of %d values"
        .formatted(isDiagonal ? "squares" : "products", count, size);
  }
}
