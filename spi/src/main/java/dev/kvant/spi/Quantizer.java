package dev.kvant.spi;

import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import java.nio.file.Path;

/**
 * Quantizes models with one configuration. Obeys the plan, matches no patterns itself, never
 * changes the model that it is given. Used by one thread at a time; a backend's quantizers may work
 * side by side.
 *
 * @since 0.1.0
 */
public interface Quantizer extends AutoCloseable {

  /** Checks what can only be known from the model's files, before any long work. */
  default void prepare(PreparedModel model) {}

  /**
   * Quantizes a model as its plan says. May leave reading and arithmetic to {@link #save}, so that
   * memory stays bounded.
   */
  QuantizedModel quantize(PreparedModel model);

  /**
   * Writes the artifacts into a folder, which it creates, by way of an {@link ArtifactTransaction}.
   *
   * @param model what {@link #quantize} of this same quantizer gave
   */
  SavedModel save(QuantizedModel model, Path directory);

  /** Releases what it holds. A second call does nothing. */
  @Override
  void close();
}
