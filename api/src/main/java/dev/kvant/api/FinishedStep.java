package dev.kvant.api;

import java.time.Duration;
import java.util.Objects;

/**
 * A step of a quantizer that has ended, well or not.
 *
 * @param step which one: {@code prepare}, {@code calibrate}, {@code quantize} or {@code save}
 * @param backend the id of the backend
 * @param duration how long it took; a backend may leave the work of {@code quantize} to {@code
 *     save}
 * @param outcome how it ended
 * @since 0.1.0
 */
public record FinishedStep(String step, String backend, Duration duration, Outcome outcome) {

  /** How a step ended. */
  public enum Outcome {
    /** It did what it was asked to do. */
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
