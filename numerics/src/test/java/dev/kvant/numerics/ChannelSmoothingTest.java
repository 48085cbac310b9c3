package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChannelSmoothingTest {

  @Test
  void factors_are_those_of_the_formula_over_their_geometric_mean() {
    // s = sqrt(16 / 1), sqrt(1 / 1), sqrt(4 / 1) = 4, 1, 2; their geometric mean is 2.
    assertThat(ChannelSmoothing.factors(floats(16, 1, 4), floats(1, 1, 1), 0.5))
        .containsExactly(new float[] {2f, 0.5f, 1f}, within(1e-6f));
    // s = sqrt(4 / 1), sqrt(4 / 16) = 2, 0.5; their geometric mean is 1.
    assertThat(ChannelSmoothing.factors(floats(4, 4), floats(1, 16), 0.5))
        .containsExactly(new float[] {2f, 0.5f}, within(1e-6f));
    // s = 16^0.75 / 16^0.25, 1 = 4, 1; their geometric mean is 2.
    assertThat(ChannelSmoothing.factors(floats(16, 1), floats(16, 1), 0.75))
        .containsExactly(new float[] {2f, 0.5f}, within(1e-6f));
  }

  @Test
  void with_alpha_1_all_channels_of_activations_get_one_magnitude_and_with_0_those_of_weights() {
    float[] activations = floats(0.5f, 3, 20);
    float[] weights = floats(7, 0.1f, 2);

    float[] one = ChannelSmoothing.factors(activations, weights, 1);
    float[] zero = ChannelSmoothing.factors(activations, weights, 0);

    for (int channel = 1; channel < 3; channel++) {
      assertThat(activations[channel] / one[channel])
          .isCloseTo(activations[0] / one[0], within(1e-5f));
      assertThat(weights[channel] * zero[channel]).isCloseTo(weights[0] * zero[0], within(1e-5f));
    }
  }

  @Test
  void a_channel_of_zeros_counts_as_the_smallest_other_one() {
    assertThat(ChannelSmoothing.factors(floats(0, 1, 4), floats(1, 1, 1), 0.5))
        .isEqualTo(ChannelSmoothing.factors(floats(1, 1, 4), floats(1, 1, 1), 0.5));
    assertThat(ChannelSmoothing.factors(floats(1, 1, 1), floats(4, 0, 2), 0.5))
        .isEqualTo(ChannelSmoothing.factors(floats(1, 1, 1), floats(4, 2, 2), 0.5));
    assertThat(ChannelSmoothing.factors(floats(0, 0), floats(0, 0), 0.5)).containsExactly(1f, 1f);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.3, 0.8, 1})
  void factors_are_positive_and_within_their_limits_whatever_the_magnitudes(double alpha) {
    Random random = new Random(3);
    float[] activations = new float[100];
    float[] weights = new float[100];
    for (int channel = 0; channel < 100; channel++) {
      activations[channel] = (float) StrictMath.exp(40 * random.nextGaussian());
      weights[channel] = (float) StrictMath.exp(40 * random.nextGaussian());
      activations[channel] = Math.min(Float.MAX_VALUE, activations[channel]);
      weights[channel] = Math.min(Float.MAX_VALUE, weights[channel]);
    }
    activations[0] = Float.MIN_VALUE;
    weights[1] = Float.MAX_VALUE;

    for (float factor : ChannelSmoothing.factors(activations, weights, alpha)) {
      assertThat(factor).isBetween(0x1p-16f, 0x1p16f);
    }
  }

  @Test
  void what_is_no_magnitude_or_no_alpha_is_refused() {
    float[] one = floats(1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ChannelSmoothing.factors(one, floats(1, 2), 0.5))
        .withMessageContaining("same channels");
    for (double alpha : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ChannelSmoothing.factors(one, one, alpha))
          .withMessageContaining("alpha");
    }
    for (float magnitude : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ChannelSmoothing.factors(floats(magnitude), one, 0.5))
          .withMessageContaining("activations");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ChannelSmoothing.factors(one, floats(magnitude), 0.5))
          .withMessageContaining("weights");
    }
  }

  private static float[] floats(float... values) {
    return values;
  }
}
