package dev.kvant.spi;

import dev.kvant.api.Experimental;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Finds the file behind a model that another framework has loaded, so that it can be passed instead
 * of a path. Found by {@link java.util.ServiceLoader}.
 *
 * @since 0.1.0
 */
@Experimental
public interface ModelSource {

  /**
   * The file behind a model object; empty if the object is none of this source's.
   *
   * @throws dev.kvant.api.UnsupportedModelException if it is, but has no file behind it
   */
  Optional<Path> locate(Object model);
}
