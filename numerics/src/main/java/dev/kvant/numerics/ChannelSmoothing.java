package dev.kvant.numerics;

/**
 * Moves the spread of channels from activations into weights before both are quantized.
 *
 * <p>A linear layer sums {@code Σ_j x_j w_j} over its input channels. The sum stays the same if
 * {@code x_j} is divided by a factor {@code s_j} and {@code w_j} is multiplied by it; one scale for
 * all of {@code x} then loses less if the channels of {@code x} become alike. Source: Xiao et al.,
 * SmoothQuant, 2023 (arXiv:2211.10438), equation 4.
 *
 * @since 0.1.0
 */
public final class ChannelSmoothing {

  /** Factors are at most this times their geometric mean, and at least their mean by this. */
  private static final double LARGEST_RATIO = 1 << 16;

  private ChannelSmoothing() {}

  /**
   * Returns the factors of the channels.
   *
   * <p>{@code s_j = max|x_j|^alpha / max|w_j|^(1 - alpha)}, computed in float64, divided by the
   * geometric mean of all {@code s}, limited to 2<sup>-16</sup> to 2<sup>16</sup> and rounded to
   * float32. A common factor changes neither codes nor errors; without the mean, weights and
   * activations keep their magnitudes on average. A channel that is always zero counts as the
   * smallest one that is not.
   *
   * @param activations the largest magnitude of each channel of the activations, finite and not
   *     negative
   * @param weights the largest magnitude of each input channel of all weights that read them,
   *     finite and not negative
   * @param alpha how much of the spread of activations moves into weights: from 0 to 1
   * @return positive factors, one for each channel
   * @throws IllegalArgumentException if the channels differ in number, alpha is out of range, or a
   *     magnitude is negative or not finite
   */
  public static float[] factors(float[] activations, float[] weights, double alpha) {
    if (activations.length != weights.length) {
      throw new IllegalArgumentException(
          "activations and weights must have the same channels, were %d and %d"
              .formatted(activations.length, weights.length));
    }
    if (!(alpha >= 0 && alpha <= 1)) {
      throw new IllegalArgumentException("alpha must be from 0 to 1, was " + alpha);
    }
    double smallestActivation = smallest("activations", activations);
    double smallestWeight = smallest("weights", weights);
    int channels = activations.length;
    double[] logarithms = new double[channels];
    double mean = 0;
    for (int channel = 0; channel < channels; channel++) {
      logarithms[channel] =
          alpha * StrictMath.log(Math.max(activations[channel], smallestActivation))
              - (1 - alpha) * StrictMath.log(Math.max(weights[channel], smallestWeight));
      mean += logarithms[channel] / channels;
    }
    double limit = StrictMath.log(LARGEST_RATIO);
    float[] factors = new float[channels];
    for (int channel = 0; channel < channels; channel++) {
      double centered = Math.max(-limit, Math.min(limit, logarithms[channel] - mean));
      factors[channel] = (float) StrictMath.exp(centered);
    }
    return factors;
  }

  /**
   * Returns what activations are multiplied by.
   *
   * @param factors positive factors
   * @return 1 by each factor, rounded to float32
   */
  public static float[] reciprocals(float[] factors) {
    float[] reciprocals = new float[factors.length];
    for (int channel = 0; channel < factors.length; channel++) {
      reciprocals[channel] = 1 / factors[channel];
    }
    return reciprocals;
  }

  /** The smallest magnitude that is not zero; 1 if all are zero. */
  private static double smallest(String name, float[] magnitudes) {
    double smallest = Double.POSITIVE_INFINITY;
    for (float magnitude : magnitudes) {
      if (!(magnitude >= 0 && magnitude <= Float.MAX_VALUE)) {
        throw new IllegalArgumentException(
            "%s must be finite and not negative, one was %s".formatted(name, magnitude));
      }
      if (magnitude > 0) {
        smallest = Math.min(smallest, magnitude);
      }
    }
    return Double.isInfinite(smallest) ? 1 : smallest;
  }
}
