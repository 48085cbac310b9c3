package dev.kvant.api;

import java.time.Duration;
import java.util.Objects;

/**
 * A step of a quantizer that has ended, successfully or not.
 *
 * @param step the step: {@code prepare}, {@code calibrate}, {@code quantize} or {@code save}
 * @param backend the id of the backend
 * @param duration its duration; a backend may leave the work of {@code quantize} to {@code save}
 * @param outcome its outcome
 * @since 0.1.0
 */
public record FinishedStep(String step, String backend, Duration duration, Outcome outcome) {

  /** The outcome of a step. */
  public enum Outcome {
    /** It was completed. */
    DONE,
    /** Its thread was interrupted. */
    CANCELLED,
    /** It ended with any other exception. */
    FAILED
  }

  public FinishedStep {
    Objects.requireNonNull(step, "step");
    Objects.requireNonNull(backend, "backend");
    Objects.requireNonNull(duration, "duration");
    Objects.requireNonNull(outcome, "outcome");
  }
}
