package dev.kvant.api;

import java.util.Objects;

/**
 * What an artifact requires of the place where it runs, beyond what its source requires.
 *
 * @param of what it is about: a runtime, as in {@code ONNX Runtime}, an ability of the CPU, as in
 *     {@code VNNI}, or an option of a runtime
 * @param value what it must be, as in {@code 1.22 or newer} or {@code not needed}
 * @param reason why, in words that fit behind the value
 * @since 0.1.0
 */
public record Requirement(String of, String value, String reason) {

  public Requirement {
    Objects.requireNonNull(of, "of");
    Objects.requireNonNull(value, "value");
    Objects.requireNonNull(reason, "reason");
  }

  /**
   * The lowest version of a runtime that runs an artifact.
   *
   * @param runtime its name
   * @param version the lowest version that does
   * @param reason what in the artifact requires it
   */
  public static Requirement version(String runtime, String version, String reason) {
    return new Requirement(runtime, version + " or newer", reason);
  }
}
