package dev.kvant.cli;

import dev.kvant.guice.KvantLifetime;
import dev.kvant.runtime.Kvant;

/**
 * Kvant for as long as a command runs.
 *
 * @param kvant what was injected
 * @param lifetime what ends it
 */
record OpenedKvant(Kvant kvant, KvantLifetime lifetime) implements AutoCloseable {

  @Override
  public void close() {
    lifetime.close();
  }
}
