package dev.kvant.onnx.graph;

import dev.kvant.numerics.BFloat16;
import dev.kvant.numerics.Float16;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/**
 * Tensors of all floating-point types as float32.
 *
 * @since 0.1.0
 */
public final class FloatValues {

  private FloatValues() {}

  /**
   * All values of a tensor.
   *
   * @param tensor of float32, float16 or bfloat16, small enough for memory
   */
  public static FloatBuffer of(StoredTensor tensor) {
    return of(tensor, 0, tensor.elements());
  }

  /**
   * Some values of a tensor.
   *
   * @param tensor of float32, float16 or bfloat16
   * @param first the row-major index of the first
   * @param count how many
   */
  public static FloatBuffer of(StoredTensor tensor, long first, long count) {
    long size = tensor.type().bytes(1);
    return of(tensor.type(), tensor.content().read(first * size, Math.toIntExact(count * size)));
  }

  /**
   * The values of a tensor.
   *
   * @param type float32, float16 or bfloat16
   * @param bytes the tensor's bytes, in the order that the buffer has
   */
  public static FloatBuffer of(DataType type, ByteBuffer bytes) {
    if (type == DataType.FLOAT) {
      return bytes.asFloatBuffer();
    }
    ShortBuffer halves = bytes.asShortBuffer();
    FloatBuffer floats = FloatBuffer.allocate(halves.remaining());
    boolean isFloat16 = type == DataType.FLOAT16;
    while (halves.hasRemaining()) {
      short bits = halves.get();
      floats.put(isFloat16 ? Float16.toFloat(bits) : BFloat16.toFloat(bits));
    }
    return floats.flip();
  }
}
