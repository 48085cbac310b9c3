package dev.kvant.runtime.verification;

import dev.kvant.api.Device;
import dev.kvant.api.Internal;
import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.ModelRunner;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Loads models for running, or for reading where nothing runs them.
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
   * Whether anything installed runs models of a format, on this machine or on others.
   *
   * @param format the id of the format
   */
  default boolean runs(String format) {
    return true;
  }

  /**
   * Opens a model file for reading its tensors; empty if nothing installed reads its format.
   *
   * @param format the id of its format
   * @throws dev.kvant.api.KvantException if it cannot be opened
   */
  default Optional<QuantizableModel> read(Path model, String format) {
    return Optional.empty();
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
   * Loads the file of an open model.
   *
   * @throws dev.kvant.api.UnavailableException if nothing here runs it
   * @throws dev.kvant.api.KvantException if it cannot be loaded
   */
  default ModelRunner open(QuantizableModel model) {
    return open(model.source(), model.format());
  }

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
