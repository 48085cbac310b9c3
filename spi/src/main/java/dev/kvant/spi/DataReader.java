package dev.kvant.spi;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An open data set that gives its samples in order, a few at a time, and never holds all of them.
 * Used by one thread at a time.
 *
 * @since 0.1.0
 */
public interface DataReader extends AutoCloseable {

  /** The tensor that holds right answers instead of an input: one integer for each sample. */
  String LABEL = "label";

  /** The number of samples, if it is known without reading them. */
  OptionalLong count();

  /**
   * The next samples, fewer where the data set ends or samples of another shape begin; empty at the
   * end.
   *
   * @param most how many at most, at least one
   * @throws dev.kvant.api.DataException if a sample is damaged, with its file and its place
   */
  Optional<SampleBlock> next(int most) throws IOException;

  /** Closes the files. A second call does nothing. */
  @Override
  void close() throws IOException;
}
