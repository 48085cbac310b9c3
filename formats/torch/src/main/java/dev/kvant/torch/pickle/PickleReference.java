package dev.kvant.torch.pickle;

import java.util.Objects;

/**
 * A persistent id: refers to something outside of the pickle. PyTorch refers to storages so, by a
 * tuple of {@code 'storage'}, type, record, device and number of elements.
 *
 * @since 0.1.0
 */
public final class PickleReference implements PickleValue {

  private final PickleValue id;

  /** A reference by that id. */
  public PickleReference(PickleValue id) {
    this.id = Objects.requireNonNull(id, "id");
  }

  /** What it refers by. */
  public PickleValue id() {
    return id;
  }
}
