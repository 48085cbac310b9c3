package dev.kvant.spark;

import dev.kvant.api.Experimental;
import dev.kvant.api.KvantException;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;

/**
 * What executors observed of a model, merged. Saved, it is a file for {@code kvant quantize
 * --statistics} and for {@code ModelQuantizer.calibrate}.
 *
 * @since 0.1.0
 */
@Experimental
public final class SparkStatistics {

  private final byte[] file;

  SparkStatistics(byte[] file) {
    this.file = file;
  }

  /** A copy of the content of the file. */
  public byte[] toBytes() {
    return Arrays.copyOf(file, file.length);
  }

  /**
   * Writes the file. A file of that name is replaced.
   *
   * @param location a path or URI of any file system that Hadoop knows
   * @param configuration of Hadoop, such as {@code spark.sparkContext().hadoopConfiguration()}
   * @throws KvantException if it cannot be written
   */
  public void save(String location, Configuration configuration) {
    new HadoopFiles(configuration).write(location, file);
  }
}
