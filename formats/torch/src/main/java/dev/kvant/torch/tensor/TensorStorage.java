package dev.kvant.torch.tensor;

import dev.kvant.spi.ByteSource;
import java.util.Objects;

/**
 * The bytes of one tensor, or of several that share them.
 *
 * @param id identifies the storage within its model: equal for equal bytes in the file
 * @param content the bytes, little-endian
 * @since 0.1.0
 */
public record TensorStorage(String id, ByteSource content) {
  public TensorStorage {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(content, "content");
  }

  /** How many bytes there are. */
  public long bytes() {
    return content.size();
  }
}
