package dev.kvant.torch.pickle;

import java.util.Objects;

/**
 * A persistent id: a reference to an object outside of the pickle. PyTorch uses it for storages, as
 * a tuple of {@code 'storage'}, type, record, device and number of elements.
 *
 * @since 0.1.0
 */
public final class PickleReference implements PickleValue {

  private final PickleValue id;

  /** A reference by that id. */
  public PickleReference(PickleValue id) {
    this.id = Objects.requireNonNull(id, "id");
  }

  /** The persistent id. */
  public PickleValue id() {
    return id;
  }
}
