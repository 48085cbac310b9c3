package dev.kvant.api;

import jakarta.validation.Valid;
import jakarta.validation.constraints.Positive;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where calibration data comes from.
 *
 * @param path an {@code .npz} file, a folder of {@code .npz} or {@code .npy} files, or a folder of
 *     images
 * @param batchSize how many samples a batch holds
 * @param maxBatches how many batches are used at most, or null for all
 * @param images how image files become tensors, or null if there are none
 * @since 0.1.0
 */
public record CalibrationConfig(
    Path path,
    @Positive int batchSize,
    @Nullable @Positive Integer maxBatches,
    @Valid @Nullable ImageConfig images) {

  /** The batch size where a configuration gives none. */
  public static final int DEFAULT_BATCH_SIZE = 32;

  public CalibrationConfig {
    Objects.requireNonNull(path, "path");
  }
}
