package dev.kvant.backend.onnx.weights;

import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.onnx.graph.Content;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.FloatBuffer;

/**
 * The output channels of a matrix, each as a row, whichever way the matrix is stored. Several
 * threads can read at once.
 */
final class MatrixRows {

  private final StoredTensor matrix;
  private final boolean areStored;
  private final int count;
  private final int length;

  /**
   * @param areStored whether the rows are rows of the stored matrix rather than columns
   */
  MatrixRows(StoredTensor matrix, boolean areStored) {
    this.matrix = matrix;
    this.areStored = areStored;
    this.count = Math.toIntExact(matrix.dims().get(areStored ? 0 : 1));
    this.length = Math.toIntExact(matrix.dims().get(areStored ? 1 : 0));
  }

  int count() {
    return count;
  }

  /** How many values a row has. */
  int length() {
    return length;
  }

  /** How many bytes the matrix takes. */
  long bytes() {
    return matrix.content().bytes();
  }

  /** How many rows fit into one block of reading. */
  int atOnce() {
    return Math.max(1, Content.BLOCK_BYTES / Float.BYTES / Math.max(1, length));
  }

  /** Some rows, one after the other. */
  float[] read(int first, int rows) {
    float[] values = new float[Math.multiplyExact(rows, length)];
    if (areStored) {
      FloatValues.of(matrix, (long) first * length, values.length).get(values);
      return values;
    }
    for (int i = 0; i < length; i++) {
      FloatBuffer column = FloatValues.of(matrix, (long) i * count + first, rows);
      for (int row = 0; row < rows; row++) {
        values[row * length + i] = column.get(row);
      }
    }
    return values;
  }

  /** Some values in the order in which the matrix is stored. */
  FloatBuffer elements(long first, int values) {
    return FloatValues.of(matrix, first, values);
  }

  /** The same value by its index in the matrix rather than in rows that were read. */
  NonFiniteValueException located(NonFiniteValueException found, int firstRow) {
    long row = firstRow + found.index() / length;
    long column = found.index() % length;
    return new NonFiniteValueException(
        areStored ? row * length + column : column * count + row, found.value());
  }
}
