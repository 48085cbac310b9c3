package dev.kvant.backend.torchao;

import dev.kvant.torch.archive.ByteSource;
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Takes tensors as they are into another archive: a tensor with a storage of its own in row-major
 * order, different views of one storage with that storage, so that tied tensors stay tied.
 */
final class NativeTensors {

  private final StorageRecords records;
  private final Workspace workspace;
  private final Map<String, Set<String>> viewsByStorage = new HashMap<>();
  private final Map<String, String> names = new HashMap<>();

  /**
   * For some tensors of a model.
   *
   * @param tensors all that will be taken
   */
  NativeTensors(Collection<StoredTensor> tensors, StorageRecords records, Workspace workspace) {
    this.records = records;
    this.workspace = workspace;
    for (StoredTensor tensor : tensors) {
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
  TensorNode take(String name, StoredTensor tensor) {
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
    long inBlock = workspace.blockBytes() / size;
    for (long first = 0; first < elements; first += inBlock) {
      int bytes = (int) Math.min(inBlock, elements - first) * size;
      ByteBuffer block = workspace.weights(bytes);
      reader.read(first, block);
      target.write(block.flip());
      workspace.advance(bytes, name);
    }
  }
}
