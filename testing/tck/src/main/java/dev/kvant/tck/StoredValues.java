package dev.kvant.tck;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.kit.BlockCodec;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.QuantizedType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/**
 * Reads stored tensors as numbers, for {@link QuantizationBackendContract#restoredWeight}.
 *
 * @since 0.1.0
 */
public final class StoredValues {

  private StoredValues() {}

  /**
   * Reads all bytes of a tensor.
   *
   * @param tensor a tensor of less than 2 GiB
   * @return its elements in row-major order, little-endian
   */
  public static ByteBuffer bytes(ModelTensor tensor) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(tensor.bytes())).order(ByteOrder.LITTLE_ENDIAN);
    tensor.read(0, bytes);
    return bytes.flip();
  }

  /**
   * Reads all elements of a tensor as float32.
   *
   * @param tensor a tensor of float32, float16, bfloat16, int8, uint8, float8_e4m3fn or float8_e5m2
   * @return its elements in row-major order, none of them rounded
   * @throws IllegalArgumentException if its elements are of another type
   */
  public static float[] floats(ModelTensor tensor) {
    ByteBuffer bytes = bytes(tensor);
    float[] values = new float[Math.toIntExact(tensor.elements())];
    String label = tensor.elementType().label();
    Optional<FloatType> type = FloatType.find(label);
    for (int i = 0; i < values.length; i++) {
      if (type.isPresent()) {
        values[i] = type.get().get(bytes, i);
      } else if (tensor.elementType().equals(ElementType.UINT8)) {
        values[i] = Byte.toUnsignedInt(bytes.get(i));
      } else {
        values[i] = codes(label).decode(bytes.get(i));
      }
    }
    return values;
  }

  private static QuantizedType codes(String label) {
    for (QuantizedType type : QuantizedType.values()) {
      if (type.label().equals(label)) {
        return type;
      }
    }
    throw new IllegalArgumentException("the elements are %s, which is not read".formatted(label));
  }

  /**
   * Decodes a tensor of blocks, stored as bytes or as elements of their own type.
   *
   * @param tensor the blocks in row-major order
   * @param codec reads the blocks
   * @return their values
   */
  public static float[] decoded(ModelTensor tensor, BlockCodec codec) {
    ElementType blocks = codec.blocks();
    long elements = tensor.bytes() / blocks.blockBytes() * blocks.blockElements();
    float[] values = new float[Math.toIntExact(elements)];
    codec.decode(bytes(tensor), values);
    return values;
  }

  /**
   * Multiplies codes by their scales: {@code v = (q - z) * s}, with the scale of each channel.
   *
   * @param codes the codes {@code q}
   * @param zeroPoint what is subtracted from all of them
   * @param scales one for each channel, or one for all
   * @param shape the shape of the codes
   * @param axis the axis of the channels; ignored for one scale
   * @return the values {@code v}, as many as codes, computed in float32
   */
  public static float[] dequantized(
      float[] codes, float zeroPoint, float[] scales, List<Long> shape, int axis) {
    long columns = shape.stream().skip(axis + 1L).reduce(1L, Math::multiplyExact);
    float[] values = new float[codes.length];
    for (int i = 0; i < values.length; i++) {
      int channel = scales.length == 1 ? 0 : (int) (i / columns % scales.length);
      values[i] = (codes[i] - zeroPoint) * scales[channel];
    }
    return values;
  }
}
