package dev.kvant.tck;

/** A toy data reader that no service file names. */
class UnregisteredToyReader extends ToyReader {}
