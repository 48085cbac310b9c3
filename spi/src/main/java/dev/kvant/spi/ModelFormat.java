package dev.kvant.spi;

import dev.kvant.api.QuantizableModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Opens model files, found by {@link java.util.ServiceLoader}. The constructor does nothing.
 *
 * @since 0.1.0
 */
public interface ModelFormat {

  /** The ids that {@link QuantizableModel#format()} of its models can have. */
  List<String> ids();

  /**
   * Whether a file or folder is of this format, by its content, never by its extension. True as
   * well for a damaged or outdated variant that only this format can explain: {@link #open} then
   * fails with a message that does.
   *
   * @param path an existing file that is not empty, or an existing folder
   */
  boolean recognizes(Path path) throws IOException;

  /**
   * Recognizes a file or folder as {@link #recognizes} does, and keeps what was read for that. A
   * format whose recognition opens the file overrides this, so that a model is opened only once.
   *
   * @param path an existing file that is not empty, or an existing folder
   * @return what opens the model; empty if it is of another format. The caller closes it.
   */
  default Optional<RecognizedModel> probe(Path path) throws IOException {
    return recognizes(path) ? Optional.of(() -> open(path)) : Optional.empty();
  }

  /**
   * Opens a model without reading its tensors.
   *
   * @throws dev.kvant.api.ModelFormatException if the file is damaged or of a variant that cannot
   *     be read
   */
  QuantizableModel open(Path path);
}
