package dev.kvant.tck;

/** A toy format that no service file names. */
final class UnregisteredToyFormat extends ToyFormat {}
