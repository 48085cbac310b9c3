package dev.kvant.spark;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.spark.sql.Row;

/**
 * Writes rows as files of a format that a data reader of Kvant reads, so that the data of a task is
 * read as the data of the command is.
 */
interface RowWriter extends AutoCloseable {

  /**
   * Adds a row.
   *
   * @throws dev.kvant.api.DataException if a column does not fit, with its name
   */
  void add(Row row) throws IOException;

  /** Finishes the files. */
  @Override
  void close() throws IOException;

  /** The path for the data reader. */
  Path data();
}
