package dev.kvant.readers.text;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/** An open file of records that have named columns. */
interface TextTable extends AutoCloseable {

  /**
   * The values of the next record by column; empty at the end.
   *
   * @throws dev.kvant.api.DataException if it is damaged, with its line
   */
  Optional<Map<String, String>> next() throws IOException;

  /** Where the record is that was read last, for errors. */
  String place();

  @Override
  void close() throws IOException;
}
