package dev.kvant.spark;

import dev.kvant.api.Experimental;
import dev.kvant.api.KvantException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

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
    Path path = new Path(location);
    Path partial = new Path(path.getParent(), "." + path.getName() + ".partial");
    try {
      FileSystem files = path.getFileSystem(configuration);
      try (OutputStream out = files.create(partial, true)) {
        out.write(file);
      }
      files.delete(path, false);
      if (!files.rename(partial, path)) {
        throw new IOException("%s cannot be renamed".formatted(partial));
      }
    } catch (IOException e) {
      throw new KvantException("%s cannot be written: %s".formatted(location, e), e);
    }
  }
}
