package dev.kvant.torch.pickle;

/**
 * A floating-point number.
 *
 * @param value the number
 * @since 0.1.0
 */
public record PickleFloat(double value) implements PickleValue {}
