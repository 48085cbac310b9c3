package dev.kvant.runtime.tuning;

import dev.kvant.api.Experimental;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How the sensitivity of modules is analyzed.
 *
 * @param samples on how many samples outputs are compared at most; at least 1
 * @param finished the file that keeps finished groups, so that an interrupted analysis goes on;
 *     null for none
 * @param onGroup told of each group once it is analyzed, on the thread that analyzes; also of those
 *     that the file knows
 * @since 0.1.0
 */
@Experimental
public record AnalysisRequest(
    int samples, @Nullable Path finished, Consumer<GroupSensitivity> onGroup) {

  /** The number of samples where none is given. */
  public static final int DEFAULT_SAMPLES = 32;

  /** On the first samples of the data, without a file and a listener. */
  public static final AnalysisRequest DEFAULT =
      new AnalysisRequest(DEFAULT_SAMPLES, null, group -> {});

  /**
   * Checks the components.
   *
   * @throws IllegalArgumentException if there is no sample
   */
  public AnalysisRequest {
    if (samples < 1) {
      throw new IllegalArgumentException("samples: must be at least 1, was " + samples);
    }
    Objects.requireNonNull(onGroup, "onGroup");
  }
}
