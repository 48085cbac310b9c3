package dev.kvant.api;

import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * How a model is quantized after training.
 *
 * <p>An open value type: a backend may define further modes and describes each in its descriptor.
 * Two modes are equal when their names are. Names are lower case.
 *
 * @param name the canonical name, as in {@code static_ptq}
 * @since 0.1.0
 */
public record QuantizationMode(String name) implements Comparable<QuantizationMode> {

  /** Quantizes weights from their own values. Activations stay as they are. */
  public static final QuantizationMode WEIGHT_ONLY_PTQ = new QuantizationMode("weight_only_ptq");

  /** Quantizes weights and activations with ranges that calibration observed. */
  public static final QuantizationMode STATIC_PTQ = new QuantizationMode("static_ptq");

  /** Quantizes weights from their own values, and activations with ranges found at run time. */
  public static final QuantizationMode DYNAMIC_PTQ = new QuantizationMode("dynamic_ptq");

  /**
   * Converts the name to its canonical spelling.
   *
   * @throws NullPointerException if the name is null
   */
  public QuantizationMode {
    Objects.requireNonNull(name, "name");
    name = name.strip().toLowerCase(Locale.ROOT);
  }

  /** The mode of that name, in any case. */
  public static QuantizationMode of(String name) {
    return new QuantizationMode(name);
  }

  /** The modes that this class defines. */
  public static List<QuantizationMode> standard() {
    return List.of(WEIGHT_ONLY_PTQ, STATIC_PTQ, DYNAMIC_PTQ);
  }

  @Override
  public int compareTo(QuantizationMode other) {
    return name.compareTo(other.name);
  }

  @Override
  public String toString() {
    return name;
  }
}
