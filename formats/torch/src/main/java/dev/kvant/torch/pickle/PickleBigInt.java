package dev.kvant.torch.pickle;

import java.math.BigInteger;
import java.util.Objects;

/**
 * An integer of more than 64 bits.
 *
 * @param value the number
 * @since 0.1.0
 */
public record PickleBigInt(BigInteger value) implements PickleValue {
  public PickleBigInt {
    Objects.requireNonNull(value, "value");
  }
}
