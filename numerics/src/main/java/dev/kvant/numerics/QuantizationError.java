package dev.kvant.numerics;

/**
 * The error of dequantized weights, as sums that can be added over blocks.
 *
 * <p>With the weights {@code w} and the dequantized ones {@code v} of the same shape, float32
 * values, accumulated in float64:
 *
 * @param signal the sum of {@code w²}, in squared units of the weights
 * @param quantizedSignal the sum of {@code v²}
 * @param noise the sum of {@code (w - v)²}
 * @since 0.1.0
 */
public record QuantizationError(double signal, double quantizedSignal, double noise) {

  /** No elements yet: the neutral element of {@link #plus}. */
  public static final QuantizationError NONE = new QuantizationError(0, 0, 0);

  /**
   * Returns the error of values.
   *
   * @param weights the values {@code w}
   * @param restored the values {@code v}, as many
   * @return their sums
   * @throws IllegalArgumentException if there are not as many of both
   */
  public static QuantizationError between(float[] weights, float[] restored) {
    if (weights.length != restored.length) {
      throw new IllegalArgumentException(
          "restored: has %d values for %d weights".formatted(restored.length, weights.length));
    }
    double signal = 0;
    double quantizedSignal = 0;
    double noise = 0;
    for (int i = 0; i < weights.length; i++) {
      double difference = (double) weights[i] - restored[i];
      signal += (double) weights[i] * weights[i];
      quantizedSignal += (double) restored[i] * restored[i];
      noise += difference * difference;
    }
    return new QuantizationError(signal, quantizedSignal, noise);
  }

  /**
   * Adds the sums of other elements.
   *
   * @param other the error of another part of the weights
   * @return the error of both parts
   */
  public QuantizationError plus(QuantizationError other) {
    return new QuantizationError(
        signal + other.signal, quantizedSignal + other.quantizedSignal, noise + other.noise);
  }

  /**
   * Returns the signal to quantization noise ratio, {@code 10 log10(signal / noise)}, in decibels.
   *
   * @return positive infinity without noise, negative infinity without signal
   */
  public double sqnrDecibels() {
    if (noise == 0) {
      return Double.POSITIVE_INFINITY;
    }
    return 10 * Math.log10(signal / noise);
  }

  /**
   * Returns the cosine of the angle between weights and dequantized weights, {@code (w·v) / (|w|
   * |v|)}, where {@code w·v = (signal + quantizedSignal - noise) / 2}.
   *
   * @return from -1 to 1; 1 when both are all zero, 0 when one of them is
   */
  public double cosine() {
    double lengths = Math.sqrt(signal) * Math.sqrt(quantizedSignal);
    if (lengths == 0) {
      return signal == quantizedSignal ? 1 : 0;
    }
    double dot = (signal + quantizedSignal - noise) / 2;
    return Math.max(-1, Math.min(1, dot / lengths));
  }
}
