package dev.kvant.backend.onnx.smooth;

import dev.kvant.onnx.graph.Content;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** A float32 matrix whose rows or columns are multiplied by factors whenever they are read. */
final class ScaledContent implements Content {

  private final Content source;
  private final long columns;
  private final int axis;
  private final float[] factors;

  /**
   * @param source the matrix
   * @param columns how many values a row has
   * @param axis 0 if each row has a factor, 1 if each column has one
   */
  ScaledContent(Content source, long columns, int axis, float[] factors) {
    this.source = source;
    this.columns = columns;
    this.axis = axis;
    this.factors = factors;
  }

  @Override
  public long bytes() {
    return source.bytes();
  }

  @Override
  public ByteBuffer read(long from, int length) {
    FloatBuffer values = source.read(from, length).asFloatBuffer();
    ByteBuffer scaled = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    long index = from / Float.BYTES;
    int row = (int) (index / columns);
    int column = (int) (index % columns);
    while (values.hasRemaining()) {
      scaled.putFloat(values.get() * factors[axis == 0 ? row : column]);
      column++;
      if (column == columns) {
        column = 0;
        row++;
      }
    }
    return scaled.flip();
  }
}
