package dev.kvant.api;

import jakarta.validation.constraints.Positive;
import org.jspecify.annotations.Nullable;

/**
 * How artifacts are verified once they are written.
 *
 * @param enabled whether they are
 * @param samples on how many samples at most
 * @param minSqnr the ratio of signal to quantization noise in decibels that every output must
 *     reach, or null for the default gate, see {@link Verification}
 * @since 0.1.0
 */
public record VerificationConfig(boolean enabled, @Positive int samples, @Nullable Double minSqnr) {

  /** The number of samples where a configuration gives none. */
  public static final int DEFAULT_SAMPLES = 8;

  /** On a few samples, with the default gate. */
  public static final VerificationConfig DEFAULT =
      new VerificationConfig(true, DEFAULT_SAMPLES, null);

  /** Not at all. */
  public static final VerificationConfig OFF = new VerificationConfig(false, DEFAULT_SAMPLES, null);
}
