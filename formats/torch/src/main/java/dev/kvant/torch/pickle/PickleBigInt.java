package dev.kvant.torch.pickle;

import java.math.BigInteger;
import java.util.Objects;

/**
 * A whole number that 64 bits do not hold.
 *
 * @param value the number
 * @since 0.1.0
 */
public record PickleBigInt(BigInteger value) implements PickleValue {
  public PickleBigInt {
    Objects.requireNonNull(value, "value");
  }
}
