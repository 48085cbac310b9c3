package dev.kvant.backend.gguf.checkpoint;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.kit.ContiguousTensor;
import dev.kvant.kit.WeightValues;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;

/** Tensors that are changed while they are read. */
final class ChangedTensor {

  private ChangedTensor() {}

  /**
   * A tensor as float32.
   *
   * @param added what is added to each value
   */
  static ModelTensor float32(String name, ModelTensor tensor, float added) {
    if (added == 0 && tensor.elementType().equals(ElementType.FLOAT32)) {
      return tensor;
    }
    var values = new WeightValues(name, tensor);
    return ContiguousTensor.of(
        tensor.identity() + " as float32",
        ElementType.FLOAT32,
        tensor.shape(),
        tensor.elements() * Float.BYTES,
        (position, target) -> {
          FloatBuffer read =
              values.readAny(position / Float.BYTES, target.remaining() / Float.BYTES);
          ByteBuffer out = target.order(ByteOrder.LITTLE_ENDIAN);
          while (read.hasRemaining()) {
            out.putFloat(read.get() + added);
          }
        });
  }

  /**
   * A tensor whose rows are those of several heads. Hugging Face rotates value i of a head of n
   * values with value i + n/2, llama.cpp rotates neighbours: row i becomes row 2i, and row i + n/2
   * becomes row 2i + 1.
   *
   * @param heads how many there are
   */
  static ModelTensor pairs(ModelTensor tensor, int heads) {
    List<Long> shape = tensor.shape();
    long rows = shape.get(0);
    long perHead = rows / heads;
    long rowBytes = tensor.bytes() / Math.max(1, rows);
    long inRow = tensor.elements() / Math.max(1, rows);
    return ContiguousTensor.of(
        tensor.identity() + " in pairs",
        tensor.elementType(),
        shape,
        tensor.bytes(),
        (position, target) -> {
          int end = target.limit();
          long at = position;
          while (target.position() < end) {
            long row = at / rowBytes;
            long within = at % rowBytes;
            long inHead = row % perHead;
            long source = row - inHead + inHead / 2 + inHead % 2 * (perHead / 2);
            int length = (int) Math.min(end - target.position(), rowBytes - within);
            target.limit(target.position() + length);
            tensor.read(source * inRow + within * inRow / rowBytes, target);
            target.limit(end);
            at += length;
          }
        });
  }
}
