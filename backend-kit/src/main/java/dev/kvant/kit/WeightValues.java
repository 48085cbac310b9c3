package dev.kvant.kit;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.QuantizationException;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.NonFiniteValueException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The elements of a weight of any floating-point type as float32. Several threads can read at once.
 *
 * @param name the tensor's qualified name, for messages
 * @param tensor float32, float16 or bfloat16
 * @since 0.1.0
 */
public record WeightValues(String name, ModelTensor tensor) {

  public WeightValues {
    Objects.requireNonNull(name, "name");
    type(tensor.elementType());
  }

  /** Whether a weight of that type can be read. */
  public static boolean supports(ElementType elementType) {
    return FloatType.find(elementType.label()).isPresent();
  }

  private static FloatType type(ElementType elementType) {
    return FloatType.find(elementType.label())
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "tensor: is %s; float32, float16 and bfloat16 are supported"
                        .formatted(elementType)));
  }

  /**
   * Reads elements.
   *
   * @param firstElement the row-major index of the first
   * @param count how many
   * @throws QuantizationException if one is NaN or infinite
   */
  public float[] read(long firstElement, int count) {
    FloatType type = type(tensor.elementType());
    ByteBuffer bytes = bytes(type, firstElement, count);
    var values = new float[count];
    type.load(bytes, 0, values, count);
    for (int i = 0; i < count; i++) {
      if (!type.isFinite(Math.abs(values[i]))) {
        throw notFinite(new NonFiniteValueException(firstElement + i, type.get(bytes, i)));
      }
    }
    return values;
  }

  /**
   * Reads elements, whether they are finite or not.
   *
   * @param firstElement the row-major index of the first
   * @param count how many
   */
  public FloatBuffer readAny(long firstElement, int count) {
    FloatType type = type(tensor.elementType());
    ByteBuffer bytes = bytes(type, firstElement, count);
    if (type == FloatType.FLOAT32) {
      return bytes.asFloatBuffer();
    }
    var values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = type.get(bytes, i);
    }
    return FloatBuffer.wrap(values);
  }

  private ByteBuffer bytes(FloatType type, long firstElement, int count) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(count, type.bytes())).order(ByteOrder.LITTLE_ENDIAN);
    tensor.read(firstElement, bytes);
    return bytes.flip();
  }

  /**
   * The error for an element that is not finite.
   *
   * @param cause names the element by its index in the tensor
   */
  public QuantizationException notFinite(NonFiniteValueException cause) {
    return new QuantizationException(
        "'%s' cannot be quantized: element %s is %s; such a model answers nothing useful, train or export it again, or leave the module native"
            .formatted(name, index(cause.index()), cause.value()),
        cause);
  }

  /** Where an element is, as in {@code [3, 0, 7]}. */
  private List<Long> index(long element) {
    List<Long> index = new ArrayList<>(tensor.shape());
    long rest = element;
    for (int i = index.size() - 1; i >= 0; i--) {
      index.set(i, rest % tensor.shape().get(i));
      rest /= tensor.shape().get(i);
    }
    return index;
  }
}
