package dev.kvant.readers.text;

import java.io.IOException;
import java.util.Optional;

/** The samples of an open text file, one after the other. */
interface TextRows extends AutoCloseable {

  /**
   * The next sample; empty at the end.
   *
   * @throws dev.kvant.api.DataException if it is damaged, with its line
   */
  Optional<TextRow> next() throws IOException;

  /** Whether samples are pairs of texts. */
  boolean isPaired();

  /** Whether samples have right answers. */
  boolean isLabelled();

  @Override
  void close() throws IOException;
}
