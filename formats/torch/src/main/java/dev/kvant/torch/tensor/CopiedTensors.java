package dev.kvant.torch.tensor;

import dev.kvant.api.ModelTensor;
import dev.kvant.spi.ByteSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Copies tensors unchanged into another archive: a tensor gets a storage of its own in row-major
 * order; different views of one storage get that storage, so that tied tensors stay tied.
 *
 * @since 0.1.0
 */
public final class CopiedTensors {

  private static final int MIN_BLOCK = 8;

  private final StorageRecords records;
  private final ByteBuffer block;
  private final CopyProgress progress;
  private final Map<String, Set<String>> viewsByStorage = new HashMap<>();
  private final Map<String, String> names = new HashMap<>();

  /**
   * For some tensors of a model.
   *
   * @param tensors all tensors that will be copied
   * @param records receives their storages
   * @param block the buffer for elements, of 8 bytes or more; copying needs no other memory
   * @param progress receives every block
   */
  public CopiedTensors(
      Collection<? extends ModelTensor> tensors,
      StorageRecords records,
      ByteBuffer block,
      CopyProgress progress) {
    if (block.capacity() < MIN_BLOCK) {
      throw new IllegalArgumentException(
          "block: %d bytes cannot hold an element; pass %d or more"
              .formatted(block.capacity(), MIN_BLOCK));
    }
    this.records = records;
    this.block = block;
    this.progress = progress;
    for (ModelTensor tensor : tensors) {
      if (tensor instanceof DenseTensor dense) {
        viewsByStorage
            .computeIfAbsent(dense.storage().id(), key -> new HashSet<>())
            .add(dense.identity());
      }
    }
  }

  /**
   * Announces a tensor's storage, unless another tensor has, and describes the tensor.
   *
   * @param name the tensor's name, for progress
   */
  public TensorNode take(String name, ModelTensor tensor) {
    if (tensor instanceof DenseTensor dense
        && viewsByStorage.getOrDefault(dense.storage().id(), Set.of()).size() > 1) {
      ByteSource content = dense.storage().content();
      String storage =
          names.computeIfAbsent(
              "storage " + dense.storage().id(),
              key ->
                  records.add(
                      content.size(),
                      target -> copy(name, content.size(), 1, content::read, target)));
      return new TensorNode(
          dense.elementType(),
          storage,
          content.size() / dense.elementType().bytes(),
          dense.offset(),
          dense.shape(),
          dense.strides(),
          false);
    }
    int size = tensor.elementType().bytes();
    String storage =
        names.computeIfAbsent(
            "tensor " + tensor.identity(),
            key ->
                records.add(
                    tensor.bytes(),
                    target -> copy(name, tensor.elements(), size, tensor::read, target)));
    return TensorNode.contiguous(tensor.elementType(), storage, tensor.shape());
  }

  private interface Reader {
    void read(long first, ByteBuffer target);
  }

  private void copy(String name, long elements, int size, Reader reader, WritableByteChannel target)
      throws IOException {
    long inBlock = block.capacity() / size;
    for (long first = 0; first < elements; first += inBlock) {
      int bytes = (int) Math.min(inBlock, elements - first) * size;
      reader.read(first, block.clear().limit(bytes));
      target.write(block.flip());
      progress.advance(bytes, name);
    }
  }
}
