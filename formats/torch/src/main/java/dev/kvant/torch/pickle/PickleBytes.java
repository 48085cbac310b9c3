package dev.kvant.torch.pickle;

/**
 * A byte string.
 *
 * @since 0.1.0
 */
public final class PickleBytes implements PickleValue {

  private final byte[] value;

  /** A copy of those bytes. */
  public PickleBytes(byte[] value) {
    this.value = value.clone();
  }

  /** A copy of the bytes. */
  public byte[] value() {
    return value.clone();
  }
}
