package dev.kvant.torch.pickle;

/**
 * A boolean.
 *
 * @param value the boolean
 * @since 0.1.0
 */
public record PickleBool(boolean value) implements PickleValue {}
