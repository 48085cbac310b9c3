package dev.kvant.runtime.calibration;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.Internal;
import java.nio.file.Path;
import java.util.List;

/**
 * The statistics of several files in one.
 *
 * @since 0.1.0
 */
@Internal
public final class MergedStatistics {

  private MergedStatistics() {}

  /**
   * Merges files in their order, and writes the result, whole or not at all.
   *
   * @param files statistics of parts of the data
   * @param merged the file to write
   * @throws CalibrationException if there is no file, one cannot be read, or they are of several
   *     models, of several plans or of the same data
   */
  public static void write(List<Path> files, Path merged) {
    if (files.isEmpty()) {
      throw new CalibrationException("no statistics file is given");
    }
    StatisticsFile sum = StatisticsFile.read(files.get(0));
    for (Path file : files.subList(1, files.size())) {
      sum = sum.plus(StatisticsFile.read(file), file);
    }
    sum.write(merged);
  }
}
