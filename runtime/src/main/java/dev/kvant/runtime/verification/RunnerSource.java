package dev.kvant.runtime.verification;

import dev.kvant.api.Device;
import dev.kvant.api.Internal;
import dev.kvant.spi.ModelRunner;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Loads models for running.
 *
 * @since 0.1.0
 */
@Internal
@FunctionalInterface
public interface RunnerSource {

  /** Where the models run. */
  default Device device() {
    return Device.CPU;
  }

  /**
   * Loads a model file.
   *
   * @param format the id of its format
   * @throws dev.kvant.api.UnavailableException if nothing here runs it
   * @throws dev.kvant.api.KvantException if it cannot be loaded
   */
  ModelRunner open(Path model, String format);

  /**
   * Loads a model file for running without the runtime's optimizations; empty if its runtime has
   * only one way.
   *
   * @param format the id of its format
   * @throws dev.kvant.api.UnavailableException if nothing here runs it
   * @throws dev.kvant.api.KvantException if it cannot be loaded
   */
  default Optional<ModelRunner> openUnoptimized(Path model, String format) {
    return Optional.empty();
  }
}
