package dev.kvant.onnx.graph;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.TensorDescription;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;

/**
 * A constant of a graph as a tensor of a module: with the dimensions that the module's description
 * gives it, which are in another order than the constant's if a node transposes it first.
 */
final class ModuleTensor implements ModelTensor {

  private final TensorDescription description;
  private final Content content;
  private final List<Long> strides;

  /**
   * A tensor.
   *
   * @param description its name, type and dimensions
   * @param content the constant's bytes
   * @param strides the distances in the constant between neighbours in each dimension of the
   *     description, in elements
   */
  ModuleTensor(TensorDescription description, Content content, List<Long> strides) {
    this.description = description;
    this.content = content;
    this.strides = List.copyOf(strides);
  }

  /** Describes it within its module. */
  TensorDescription description() {
    return description;
  }

  @Override
  public ElementType elementType() {
    return description.elementType();
  }

  @Override
  public List<Long> shape() {
    return description.shape();
  }

  @Override
  public String identity() {
    return description.storage();
  }

  @Override
  public void read(long firstElement, ByteBuffer target) {
    int size = elementType().bytes();
    if (target.remaining() % size != 0) {
      throw new IllegalArgumentException(
          "target: %d bytes are not a whole number of %s elements"
              .formatted(target.remaining(), elementType()));
    }
    int count = target.remaining() / size;
    Objects.checkFromIndexSize(firstElement, (long) count, elements());
    // As many at a time as follow each other in the constant: the rest of a row, or one.
    int last = shape().size() - 1;
    boolean rowsTogether = last < 0 || strides.get(last) == 1;
    for (long element = firstElement; target.hasRemaining(); ) {
      long run = 1;
      if (isRowMajor()) {
        run = target.remaining() / size;
      } else if (rowsTogether) {
        long columns = shape().get(last);
        run = Math.min(columns - element % columns, target.remaining() / size);
      }
      target.put(content.read(position(element) * size, Math.toIntExact(run * size)));
      element += run;
    }
  }

  private boolean isRowMajor() {
    long expected = 1;
    for (int i = shape().size() - 1; i >= 0; i--) {
      if (shape().get(i) != 1 && strides.get(i) != expected) {
        return false;
      }
      expected *= shape().get(i);
    }
    return true;
  }

  /** Where in the constant an element is, given its row-major index. */
  private long position(long element) {
    long position = 0;
    long rest = element;
    for (int i = shape().size() - 1; i >= 0; i--) {
      position += rest % shape().get(i) * strides.get(i);
      rest /= shape().get(i);
    }
    return position;
  }
}
