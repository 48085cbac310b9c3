package dev.kvant.torch.pickle;

/**
 * Python's {@code None}.
 *
 * @since 0.1.0
 */
public enum PickleNone implements PickleValue {
  /** The only one. */
  NONE
}
