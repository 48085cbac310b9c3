package dev.kvant.tck;

/** A toy backend that no service file names. */
final class UnregisteredToyBackend extends ToyBackend {}
