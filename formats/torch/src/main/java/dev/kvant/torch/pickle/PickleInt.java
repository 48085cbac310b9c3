package dev.kvant.torch.pickle;

/**
 * A whole number of 64 bits.
 *
 * @param value the number
 * @since 0.1.0
 */
public record PickleInt(long value) implements PickleValue {

  private static final PickleInt[] SMALL = new PickleInt[1024];

  static {
    for (int i = 0; i < SMALL.length; i++) {
      SMALL[i] = new PickleInt(i);
    }
  }

  /** That number; small ones are shared. */
  public static PickleInt of(long value) {
    return value >= 0 && value < SMALL.length ? SMALL[(int) value] : new PickleInt(value);
  }
}
