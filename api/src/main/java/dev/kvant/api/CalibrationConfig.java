package dev.kvant.api;

import jakarta.validation.constraints.Positive;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The data that a model is calibrated with.
 *
 * @param data the data set
 * @param batchSize how many samples a batch holds; null for the model's own batch size, else {@link
 *     #DEFAULT_BATCH_SIZE}
 * @param maxBatches how many batches are used at most, or null for all
 * @param nonFinite what is done with values that are NaN or infinite
 * @since 0.1.0
 */
public record CalibrationConfig(
    DataConfig data,
    @Nullable @Positive Integer batchSize,
    @Nullable @Positive Integer maxBatches,
    NonFiniteValues nonFinite) {

  /** The batch size where neither a configuration nor the model gives one. */
  public static final int DEFAULT_BATCH_SIZE = 32;

  /**
   * Checks the components.
   *
   * @throws NullPointerException if there is no data, or nothing is said of values not finite
   */
  public CalibrationConfig {
    Objects.requireNonNull(data, "data");
    Objects.requireNonNull(nonFinite, "nonFinite");
  }

  /** All of a data set that needs no settings. */
  public static CalibrationConfig of(Path path) {
    return builder(path).build();
  }

  /** A builder for the data of that file or folder. */
  public static Builder builder(Path path) {
    return new Builder(DataConfig.of(path));
  }

  /**
   * Collects a configuration piece by piece.
   *
   * @since 0.1.0
   */
  public static final class Builder {

    private DataConfig data;
    private @Nullable Integer batchSize;
    private @Nullable Integer maxBatches;
    private NonFiniteValues nonFinite = NonFiniteValues.REFUSE;

    private Builder(DataConfig data) {
      this.data = data;
    }

    /** Sets how many samples a batch holds. */
    public Builder batchSize(@Nullable Integer batchSize) {
      this.batchSize = batchSize;
      return this;
    }

    /** Sets how many batches are used at most. */
    public Builder maxBatches(@Nullable Integer maxBatches) {
      this.maxBatches = maxBatches;
      return this;
    }

    /** Says what is done with values that are NaN or infinite; refused by default. */
    public Builder nonFinite(NonFiniteValues nonFinite) {
      this.nonFinite = nonFinite;
      return this;
    }

    /** Names the data reader. */
    public Builder reader(String id) {
      data = data.readBy(id);
      return this;
    }

    /** Adds a setting of the data reader. */
    public Builder option(String key, Object value) {
      data = data.with(key, value);
      return this;
    }

    /** The configuration. */
    public CalibrationConfig build() {
      return new CalibrationConfig(data, batchSize, maxBatches, nonFinite);
    }
  }
}
