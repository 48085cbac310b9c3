package dev.kvant.spi;

import dev.kvant.api.ConfigurationProblem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A kind of data that models are calibrated and evaluated with, found by {@link
 * java.util.ServiceLoader}. The constructor does nothing: no I/O, no native library. All methods
 * may be called by several threads at once.
 *
 * <p>A configuration names a data reader by its id, or by settings that it alone has, or by a path
 * that it alone recognizes.
 *
 * @since 0.1.0
 */
public interface DataReaderProvider {

  /** What the data reader is; cheap, the same at every call. */
  DataReaderDescriptor descriptor();

  /**
   * Whether it reads a file or folder, as far as names and first bytes tell. True as well for a
   * damaged file that only this data reader can explain: {@link #open} then fails with a message
   * that does.
   *
   * @param path an existing file or folder
   */
  boolean recognizes(Path path) throws IOException;

  /** Whether it can work on this machine, as far as can be told without loading anything. */
  default Availability availability() {
    return Availability.available();
  }

  /**
   * What is wrong with settings beyond their types, all of it at once; the path of a problem is the
   * key of a setting. No file is read.
   */
  default List<ConfigurationProblem> validate(Options options) {
    return List.of();
  }

  /**
   * Opens a data set without reading its samples. The caller closes it.
   *
   * @throws dev.kvant.api.DataException if there is nothing that can be read
   * @throws dev.kvant.api.UnavailableException if a native library is not there
   */
  DataReader open(DataRequest request) throws IOException;
}
