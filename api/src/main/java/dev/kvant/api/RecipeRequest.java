package dev.kvant.api;

import org.jspecify.annotations.Nullable;

/**
 * What a recommended {@link Recipe} has to meet. Whatever is null is left to the backend.
 *
 * @param backend id or alias of the backend, or null for the best of those installed
 * @param mode how to quantize, or null
 * @param dtype the dtype of weights, and of activations where the mode quantizes them, or null
 * @param target what the artifact is for: a value of the backend's option {@code target}, or null
 * @param calibration the data that the model can be observed on, or null if there is none
 * @since 0.1.0
 */
public record RecipeRequest(
    @Nullable String backend,
    @Nullable QuantizationMode mode,
    @Nullable Dtype dtype,
    @Nullable String target,
    @Nullable CalibrationConfig calibration) {

  /** Everything is left to the backends, and there is no data. */
  public static final RecipeRequest ANY = builder().build();

  /** A builder that leaves everything to the backends. */
  public static Builder builder() {
    return new Builder();
  }

  /** Whether the model can be observed on data. */
  public boolean hasData() {
    return calibration != null;
  }

  /**
   * Collects what a recipe has to meet.
   *
   * @since 0.1.0
   */
  public static final class Builder {

    private @Nullable String backend;
    private @Nullable QuantizationMode mode;
    private @Nullable Dtype dtype;
    private @Nullable String target;
    private @Nullable CalibrationConfig calibration;

    private Builder() {}

    /** Requires a backend, by id or alias. */
    public Builder backend(@Nullable String backend) {
      this.backend = backend;
      return this;
    }

    /** Requires a mode. */
    public Builder mode(@Nullable QuantizationMode mode) {
      this.mode = mode;
      return this;
    }

    /** Requires a dtype for weights, and for activations where the mode quantizes them. */
    public Builder dtype(@Nullable Dtype dtype) {
      this.dtype = dtype;
      return this;
    }

    /** Requires a value of the backend's option {@code target}. */
    public Builder target(@Nullable String target) {
      this.target = target;
      return this;
    }

    /** Offers data. */
    public Builder calibration(@Nullable CalibrationConfig calibration) {
      this.calibration = calibration;
      return this;
    }

    /**
     * The request.
     *
     * @throws IllegalArgumentException if the dtype is {@code native}
     */
    public RecipeRequest build() {
      return new RecipeRequest(backend, mode, dtype, target, calibration);
    }
  }

  /**
   * Checks the dtype.
   *
   * @throws IllegalArgumentException if it is {@code native}
   */
  public RecipeRequest {
    if (dtype != null && dtype.isNative()) {
      throw new IllegalArgumentException("dtype: native quantizes nothing; leave it out");
    }
  }
}
