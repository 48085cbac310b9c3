package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.Tensor;
import dev.kvant.spi.SampleBlock;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Cuts, joins and repeats samples. Row-major tensors one below the other are their bytes one behind
 * the other.
 */
final class Rows {

  private Rows() {}

  /** Some of the samples of a block. */
  static SampleBlock cut(SampleBlock block, int from, int count) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    block.tensors().forEach((name, tensor) -> tensors.put(name, cut(tensor, from, count)));
    return new SampleBlock(count, tensors, block.shared());
  }

  private static Tensor cut(Tensor tensor, int from, int count) {
    ByteBuffer data = tensor.data();
    int bytes = Math.toIntExact(data.remaining() / tensor.shape().get(0));
    return Tensor.of(
        tensor.elementType(),
        withRows(tensor.shape(), count),
        data.slice(from * bytes, count * bytes));
  }

  /**
   * Whether samples can stand in one batch: the same names, types and shapes, and shared values.
   */
  static boolean areAlike(SampleBlock block, SampleBlock other) {
    return block.tensors().keySet().equals(other.tensors().keySet())
        && block.shared().keySet().equals(other.shared().keySet())
        && block.tensors().keySet().stream()
            .allMatch(
                name -> areAlike(tensor(block.tensors(), name), tensor(other.tensors(), name)))
        && block.shared().keySet().stream()
            .allMatch(name -> isSame(tensor(block.shared(), name), tensor(other.shared(), name)));
  }

  private static boolean areAlike(Tensor tensor, Tensor other) {
    return tensor.elementType().equals(other.elementType())
        && rowShape(tensor).equals(rowShape(other));
  }

  private static boolean isSame(Tensor tensor, Tensor other) {
    return tensor == other
        || (tensor.elementType().equals(other.elementType())
            && tensor.shape().equals(other.shape())
            && tensor.data().equals(other.data()));
  }

  /** Blocks that are alike as one. */
  static SampleBlock join(List<SampleBlock> blocks) {
    SampleBlock first = blocks.get(0);
    if (blocks.size() == 1) {
      return first;
    }
    Map<String, Tensor> joined = new LinkedHashMap<>();
    for (String name : first.tensors().keySet()) {
      joined.put(
          name, join(blocks.stream().map(block -> tensor(block.tensors(), name)).toList(), name));
    }
    return new SampleBlock(
        blocks.stream().mapToInt(SampleBlock::count).sum(), joined, first.shared());
  }

  private static Tensor join(List<Tensor> tensors, String name) {
    int bytes = 0;
    long rows = 0;
    try {
      for (Tensor tensor : tensors) {
        bytes = Math.addExact(bytes, tensor.data().remaining());
        rows += tensor.shape().get(0);
      }
    } catch (ArithmeticException e) {
      throw new DataException(
          "a batch of '%s' does not fit into memory; use a smaller one".formatted(name), e);
    }
    ByteBuffer data = ByteBuffer.allocate(bytes);
    tensors.forEach(tensor -> data.put(tensor.data()));
    Tensor first = tensors.get(0);
    return Tensor.of(first.elementType(), withRows(first.shape(), rows), data.flip());
  }

  /** A block with its samples repeated in order until there are as many as a model takes. */
  static SampleBlock filled(SampleBlock block, int rows) {
    List<SampleBlock> blocks = new ArrayList<>();
    int missing = rows;
    while (missing > 0) {
      int count = Math.min(missing, block.count());
      blocks.add(count == block.count() ? block : cut(block, 0, count));
      missing -= count;
    }
    return join(blocks);
  }

  /** A single sample without the axis that counts samples. */
  static Tensor withoutSampleAxis(Tensor tensor) {
    return Tensor.of(tensor.elementType(), rowShape(tensor), tensor.data());
  }

  static List<Long> rowShape(Tensor tensor) {
    return tensor.shape().subList(1, tensor.shape().size());
  }

  private static List<Long> withRows(List<Long> shape, long rows) {
    List<Long> changed = new ArrayList<>(shape);
    changed.set(0, rows);
    return changed;
  }

  private static Tensor tensor(Map<String, Tensor> tensors, String name) {
    return Objects.requireNonNull(tensors.get(name), name);
  }
}
