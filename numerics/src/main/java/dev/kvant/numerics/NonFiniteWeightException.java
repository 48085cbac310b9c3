package dev.kvant.numerics;

/**
 * A weight is NaN or infinite, so its row has no scale.
 *
 * <p>Carries the first such element in row-major order of the block, for a caller that can name the
 * tensor.
 *
 * @since 0.1.0
 */
public final class NonFiniteWeightException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  private final int row;
  private final int column;
  private final float value;

  NonFiniteWeightException(int row, int column, float value) {
    super("The weight at row " + row + ", column " + column + " is " + value + ", not finite");
    this.row = row;
    this.column = column;
    this.value = value;
  }

  /**
   * Returns the row, counted from the first row of the matrix.
   *
   * @return at least 0
   */
  public int row() {
    return row;
  }

  /**
   * Returns the column.
   *
   * @return at least 0
   */
  public int column() {
    return column;
  }

  /**
   * Returns the offending value.
   *
   * @return NaN or an infinity
   */
  public float value() {
    return value;
  }
}
