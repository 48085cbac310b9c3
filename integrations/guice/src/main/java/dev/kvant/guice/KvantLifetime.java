package dev.kvant.guice;

import dev.kvant.runtime.Kvant;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Closes the {@link Kvant} of a {@link KvantModule} together with the application.
 *
 * <p>Guice never closes its instances, so the application closes this one where it closes
 * everything else: in a try-with-resources statement around its main loop, in a shutdown hook, or
 * in the stop method of the framework that it runs in. Thread-safe.
 *
 * @since 0.1.0
 */
public final class KvantLifetime implements AutoCloseable {

  private @Nullable Kvant kvant;
  private boolean closed;

  KvantLifetime() {}

  /**
   * The only instance, which the first call builds.
   *
   * @throws IllegalStateException if the lifetime has ended
   */
  synchronized Kvant kvant(Supplier<Kvant.Builder> builder) {
    if (closed) {
      throw new IllegalStateException(
          "Kvant was closed with its KvantLifetime and can no longer be injected");
    }
    Kvant known = kvant;
    if (known != null) {
      return known;
    }
    Kvant built = builder.get().build();
    kvant = built;
    return built;
  }

  /** Closes the {@link Kvant} if it was injected. A second call does nothing. */
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
