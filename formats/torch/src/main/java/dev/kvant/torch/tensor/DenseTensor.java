package dev.kvant.torch.tensor;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A tensor whose elements are in one storage, at regular distances.
 *
 * <p>Element {@code [i0, i1, …]} is at {@code offset + i0·strides[0] + i1·strides[1] + …}, counted
 * in elements.
 *
 * @since 0.1.0
 */
public final class DenseTensor implements StoredTensor {

  private final ElementType elementType;
  private final List<Long> shape;
  private final List<Long> strides;
  private final long offset;
  private final TensorStorage storage;
  private final long elements;

  private DenseTensor(
      ElementType elementType,
      List<Long> shape,
      List<Long> strides,
      long offset,
      TensorStorage storage,
      long elements) {
    this.elementType = elementType;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.storage = storage;
    this.elements = elements;
  }

  /**
   * Creates a tensor after checking that it is inside its storage.
   *
   * @param what its name for messages, as in {@code tensor 'weight' of model.pt}
   * @param offset its start in the storage, in elements
   * @throws ModelFormatException if it does not
   */
  public static DenseTensor of(
      String what,
      ElementType elementType,
      List<Long> shape,
      List<Long> strides,
      long offset,
      TensorStorage storage) {
    Objects.requireNonNull(elementType, "elementType");
    if (shape.size() != strides.size()) {
      throw new ModelFormatException(
          "%s has shape %s, but strides %s; the file is damaged".formatted(what, shape, strides));
    }
    try {
      long elements = 1;
      long last = offset;
      for (int i = 0; i < shape.size(); i++) {
        if (shape.get(i) < 0 || strides.get(i) < 0) {
          throw new ModelFormatException(
              "%s has shape %s and strides %s, some of them negative; the file is damaged"
                  .formatted(what, shape, strides));
        }
        elements = Math.multiplyExact(elements, shape.get(i));
        if (shape.get(i) > 1) {
          last = Math.addExact(last, Math.multiplyExact(shape.get(i) - 1, strides.get(i)));
        }
      }
      Math.multiplyExact(elements, elementType.bytes());
      if (offset < 0 || (elements > 0 && last >= storage.bytes() / elementType.bytes())) {
        throw outside(what, elementType, shape, strides, offset, storage);
      }
      return new DenseTensor(
          elementType, List.copyOf(shape), List.copyOf(strides), offset, storage, elements);
    } catch (ArithmeticException e) {
      throw outside(what, elementType, shape, strides, offset, storage);
    }
  }

  private static ModelFormatException outside(
      String what,
      ElementType elementType,
      List<Long> shape,
      List<Long> strides,
      long offset,
      TensorStorage storage) {
    return new ModelFormatException(
        "%s (%s, shape %s, strides %s, offset %d) reaches outside its storage of %d bytes; the file is damaged"
            .formatted(what, elementType, shape, strides, offset, storage.bytes()));
  }

  /** Creates a contiguous tensor in row-major order from the start of its storage. */
  public static DenseTensor contiguous(
      String what, ElementType elementType, List<Long> shape, TensorStorage storage) {
    return of(what, elementType, shape, rowMajor(shape), 0, storage);
  }

  /** The strides of a contiguous tensor of that shape in row-major order. */
  public static List<Long> rowMajor(List<Long> shape) {
    List<Long> strides = new ArrayList<>(shape);
    long stride = 1;
    for (int i = shape.size() - 1; i >= 0; i--) {
      strides.set(i, stride);
      // Not exact: PyTorch's strides of an empty tensor treat 0 as 1, and a shape whose product
      // overflows is refused where it is checked.
      stride *= Math.max(1, shape.get(i));
    }
    return List.copyOf(strides);
  }

  @Override
  public ElementType elementType() {
    return elementType;
  }

  @Override
  public List<Long> shape() {
    return shape;
  }

  /** Distances in the storage between neighbors in each dimension, in elements. */
  public List<Long> strides() {
    return strides;
  }

  /** The position of the first element in the storage, in elements. */
  public long offset() {
    return offset;
  }

  /** The storage of the elements. */
  public TensorStorage storage() {
    return storage;
  }

  @Override
  public List<TensorStorage> storages() {
    return List.of(storage);
  }

  @Override
  public String identity() {
    return "%s:%s%s%s".formatted(storage.id(), offset, shape, strides);
  }

  @Override
  public long elements() {
    return elements;
  }

  /** Whether the elements are contiguous in row-major order. */
  public boolean isContiguous() {
    long expected = 1;
    for (int i = shape.size() - 1; i >= 0; i--) {
      if (shape.get(i) != 1 && strides.get(i) != expected) {
        return elements == 0;
      }
      expected *= shape.get(i);
    }
    return true;
  }

  @Override
  public void read(long firstElement, ByteBuffer target) {
    int size = elementType.bytes();
    int count = ElementRange.count(this, firstElement, target);
    if (count == 0) {
      return;
    }
    if (isContiguous()) {
      storage.content().read((offset + firstElement) * size, target);
    } else {
      new StridedReader(storage.content(), size, shape, strides, target)
          .read(offset, firstElement, count);
    }
  }

  @Override
  public String toString() {
    return "%s%s".formatted(elementType, shape);
  }
}
