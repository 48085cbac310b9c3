package dev.kvant.spi;

import dev.kvant.api.Device;
import dev.kvant.api.Experimental;
import dev.kvant.api.QuantizableModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Runs models of some formats, found by {@link java.util.ServiceLoader}. The constructor does
 * nothing; native libraries are loaded by {@link #open} at the earliest.
 *
 * @since 0.1.0
 */
@Experimental
public interface ModelRunnerProvider {

  /** The ids of the model formats that it runs. */
  List<String> formats();

  /** Whether it can work on this machine, as far as can be told without loading anything. */
  default Availability availability() {
    return Availability.available();
  }

  /**
   * Loads a model file for running.
   *
   * @throws dev.kvant.api.UnavailableException if the device or a native library is not there
   * @throws dev.kvant.api.ModelFormatException if the file cannot be loaded
   */
  ModelRunner open(Path model, Device device);

  /**
   * Loads the file of an open model for running. Override this if something that the open model
   * already knows need not be read again.
   *
   * @throws dev.kvant.api.UnavailableException if the device or a native library is not there
   * @throws dev.kvant.api.ModelFormatException if the file cannot be loaded
   */
  default ModelRunner open(QuantizableModel model, Device device) {
    return open(model.source(), device);
  }

  /**
   * Loads a model file for running it operator by operator, as the file describes it. Artifacts are
   * verified in both ways, because a fused kernel can compute something else than the operators
   * that it replaces. Empty, the default, if this runtime has only one way.
   *
   * @throws dev.kvant.api.UnavailableException if the device or a native library is not there
   * @throws dev.kvant.api.ModelFormatException if the file cannot be loaded
   */
  default Optional<ModelRunner> openUnoptimized(Path model, Device device) {
    return Optional.empty();
  }
}
