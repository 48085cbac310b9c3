package dev.kvant.spi;

import dev.kvant.api.QuantizableModel;

/**
 * A file that a format has recognized, with what it has read for that, so that opening the model
 * does not read it again.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface RecognizedModel extends AutoCloseable {

  /**
   * Opens the model without reading its tensors. Called at most once.
   *
   * @throws dev.kvant.api.ModelFormatException if the file is damaged or of a variant that cannot
   *     be read
   */
  QuantizableModel open();

  /** Releases what is held if the model was not opened; after {@link #open} it does nothing. */
  @Override
  default void close() {}
}
