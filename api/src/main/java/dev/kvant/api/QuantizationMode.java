package dev.kvant.api;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * How a model is quantized after training.
 *
 * @since 0.1.0
 */
public enum QuantizationMode {
  /**
   * Weights are quantized from their own values; activations stay as they are; no data is needed.
   */
  WEIGHT_ONLY_PTQ,

  /** Weights and activations are quantized with scales that calibration found. */
  STATIC_PTQ;

  /** The name in configuration documents, as in {@code static_ptq}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The mode of that name, in any case; empty if there is none. */
  public static Optional<QuantizationMode> find(String name) {
    return Arrays.stream(values())
        .filter(mode -> mode.name().equalsIgnoreCase(name.strip()))
        .findFirst();
  }

  @Override
  public String toString() {
    return label();
  }
}
