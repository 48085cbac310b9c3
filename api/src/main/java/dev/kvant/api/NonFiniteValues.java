package dev.kvant.api;

import java.util.Locale;

/**
 * What calibration does with values that are NaN or infinite.
 *
 * @since 0.1.0
 */
public enum NonFiniteValues {
  /** The first one is an error that names the batch and the tensor. */
  REFUSE,

  /** They are left out of all statistics; a warning counts them for each tensor. */
  IGNORE;

  /** The name in configurations. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The constant of that label, in any case.
   *
   * @throws IllegalArgumentException with the known labels if there is none
   */
  public static NonFiniteValues of(String label) {
    for (NonFiniteValues each : values()) {
      if (each.label().equalsIgnoreCase(label.strip())) {
        return each;
      }
    }
    throw new IllegalArgumentException("must be refuse or ignore");
  }
}
