package dev.kvant.backend.modelopt;

import dev.kvant.api.ElementType;
import dev.kvant.spi.ByteSource;
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorStorage;
import java.nio.ByteBuffer;
import java.util.List;

/** Tensors in memory. */
final class Tensors {

  private Tensors() {}

  static StoredTensor of(ElementType type, List<Long> shape, ByteBuffer content) {
    return DenseTensor.contiguous(
        "weight",
        type,
        shape,
        new TensorStorage(
            "0",
            new ByteSource() {
              @Override
              public long size() {
                return content.capacity();
              }

              @Override
              public void read(long position, ByteBuffer target) {
                target.put(content.duplicate().clear().slice((int) position, target.remaining()));
              }
            }));
  }
}
