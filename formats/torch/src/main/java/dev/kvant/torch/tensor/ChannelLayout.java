package dev.kvant.torch.tensor;

import java.util.ArrayList;
import java.util.List;

/**
 * How a tensor is divided into parts with one scale each. In row-major order it is {@code slices}
 * times a matrix {@code [channels, columns]}; channel {@code c} of every slice has scale {@code c}.
 *
 * @param shape the tensor's dimensions
 * @param axis the dimension along which scales differ
 * @param slices the product of the dimensions before it
 * @param channels the number of scales
 * @param columns the product of the dimensions behind it
 * @since 0.1.0
 */
public record ChannelLayout(List<Long> shape, int axis, long slices, int channels, int columns) {

  public ChannelLayout {
    shape = List.copyOf(shape);
  }

  /**
   * For a tensor that is not empty.
   *
   * @param axis the dimension along which scales differ
   * @throws ArithmeticException if there are 2^31 scales or more, or a row is as long
   */
  public static ChannelLayout of(List<Long> shape, int axis) {
    return new ChannelLayout(
        shape,
        axis,
        product(shape.subList(0, axis)),
        Math.toIntExact(shape.get(axis)),
        Math.toIntExact(product(shape.subList(axis + 1, shape.size()))));
  }

  private static long product(List<Long> extents) {
    return extents.stream().reduce(1L, Math::multiplyExact);
  }

  /** The dimensions of the scales that multiply the codes: 1 for all but the axis. */
  public List<Long> scaleShape() {
    List<Long> scales = new ArrayList<>();
    for (int i = 0; i < shape.size(); i++) {
      scales.add(i == axis ? shape.get(i) : 1L);
    }
    return scales;
  }

  /**
   * The position of an element, as in {@code [3, 0, 7]}.
   *
   * @param element its row-major index
   */
  public List<Long> index(long element) {
    var index = new Long[shape.size()];
    long rest = element;
    for (int i = shape.size() - 1; i >= 0; i--) {
      index[i] = rest % shape.get(i);
      rest /= shape.get(i);
    }
    return List.of(index);
  }
}
