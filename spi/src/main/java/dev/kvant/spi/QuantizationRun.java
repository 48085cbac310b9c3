package dev.kvant.spi;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.SavedModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Quantizes one model as its plan says: from the parsed model to the saved artifacts.
 *
 * <p>A run parses the model's file at most once and keeps what it parsed until it is closed. It
 * obeys the plan, matches no patterns itself, and never changes the model that it was given, which
 * stays open as long as the run. Used by one thread at a time; runs of one backend may work side by
 * side.
 *
 * @since 0.1.0
 */
public interface QuantizationRun extends AutoCloseable {

  /**
   * The tensors whose ranges the plan needs, by names of the backend's own that are the same for
   * every run of one model, each with what must be observed of it.
   */
  default Map<String, Observation> observations() {
    return Map.of();
  }

  /**
   * Groups of modules of the plan that read one tensor, by their names, such as query, key and
   * value. The tensor is quantized once for all of them, so they gain only together. A module that
   * shares its input with no other one is in no group. The runtime asks when it searches for
   * modules that stay native.
   */
  default List<List<String>> groups() {
    return List.of();
  }

  /**
   * Runs data through the model and observes the tensors of {@link #observations()}. Keeps
   * statistics, never the values. The run does not use them before they come back by {@link #use}:
   * parts of a data set can be observed apart and merged first.
   *
   * <p>Called only in modes whose descriptor says that calibration is optional or required.
   *
   * @param least what is observed of every tensor at least; never {@link Observation#CHANNELS}
   * @return what was observed, with an entry for each tensor of {@link #observations()}
   * @throws dev.kvant.api.CalibrationException if there is no data, it does not fit the model, or a
   *     value that was observed is not finite
   */
  default CalibrationStatistics observe(CalibrationDataset data, Observation least) {
    throw new UnsupportedOperationException(
        getClass().getName() + " does not override observe, and its descriptor calibrates");
  }

  /**
   * Takes the ranges of activations from statistics, in place of any that were used before.
   *
   * <p>Called only in modes whose descriptor says that calibration is optional or required.
   *
   * @param statistics tell of every tensor of {@link #observations()} what that asks for
   */
  default void use(CalibrationStatistics statistics) {
    throw new UnsupportedOperationException(
        getClass().getName() + " does not override use, and its descriptor calibrates");
  }

  /**
   * Does what can be done before anything is written, such as the search of ranges. {@link #save}
   * does whatever of it was not done.
   *
   * @throws dev.kvant.api.QuantizationException if a weight is not finite
   * @throws dev.kvant.api.CalibrationException if there are no statistics and the mode requires
   *     them
   */
  default void quantize() {}

  /**
   * Writes the artifacts into a folder, which it creates, by way of an {@link ArtifactTransaction}.
   * May be called again for another folder. The runtime tells the listener the warnings of the
   * report that the run did not tell it.
   *
   * @return the artifacts, and what they hold
   * @throws dev.kvant.api.QuantizationException if a weight is not finite
   * @throws dev.kvant.api.CalibrationException if there are no statistics and the mode requires
   *     them
   */
  SavedModel save(Path directory);

  /** Releases what the run holds. A second call does nothing. */
  @Override
  void close();
}
