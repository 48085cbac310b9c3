package dev.kvant.torch.pickle;

import java.util.Objects;

/**
 * A string.
 *
 * @param value the string
 * @since 0.1.0
 */
public record PickleText(String value) implements PickleValue {
  public PickleText {
    Objects.requireNonNull(value, "value");
  }
}
