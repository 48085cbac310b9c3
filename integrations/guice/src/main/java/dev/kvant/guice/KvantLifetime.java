package dev.kvant.guice;

import dev.kvant.runtime.Kvant;
import org.jspecify.annotations.Nullable;

/**
 * Ends with the application the {@link Kvant} that {@link KvantModule} made for it.
 *
 * <p>Guice itself never closes what it made, so that the application does, where it ends everything
 * else: in a try-with-resources statement around its main loop, in a shutdown hook, or in the stop
 * method of the framework that it runs in. Safe for use by several threads.
 *
 * @since 0.1.0
 */
public final class KvantLifetime implements AutoCloseable {

  private @Nullable Kvant kvant;
  private boolean closed;

  KvantLifetime() {}

  /**
   * Builds the one instance and remembers it.
   *
   * @throws IllegalStateException if the lifetime is over
   */
  synchronized Kvant begin(Kvant.Builder builder) {
    if (closed) {
      throw new IllegalStateException(
          "Kvant was closed with its KvantLifetime and cannot be injected any more");
    }
    Kvant begun = builder.build();
    kvant = begun;
    return begun;
  }

  /**
   * Closes the {@link Kvant}, if one was injected anywhere; makes none only to close it. A second
   * call does nothing.
   */
  @Override
  public synchronized void close() {
    closed = true;
    Kvant begun = kvant;
    kvant = null;
    if (begun != null) {
      begun.close();
    }
  }
}
