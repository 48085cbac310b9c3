package dev.kvant.numerics.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.kvant.numerics.observer.SmoothingSearch.Choice;
import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SmoothingSearchTest {

  private static final int CHANNELS = 32;

  /** Normally distributed rows, one channel of which is multiplied. */
  private static ChannelStatistics activations(float outlier) {
    Random random = new Random(1);
    float[] values = new float[200 * CHANNELS];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() * (i % CHANNELS == 5 ? outlier : 1);
    }
    TensorObserver observer = TensorObserver.ofChannels();
    observer.observe(FloatBuffer.wrap(values), 0, CHANNELS);
    return observer.statistics().flatMap(TensorStatistics::channels).orElseThrow();
  }

  private static float[][] weights() {
    Random random = new Random(2);
    float[][] weights = new float[CHANNELS][16];
    for (float[] row : weights) {
      for (int i = 0; i < row.length; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    return weights;
  }

  private static float[] amax(float[][] weights) {
    float[] amax = new float[weights.length];
    for (int channel = 0; channel < weights.length; channel++) {
      for (float value : weights[channel]) {
        amax[channel] = Math.max(amax[channel], Math.abs(value));
      }
    }
    return amax;
  }

  private static Optional<Choice> best(ChannelStatistics activations, float[][] weights) {
    return SmoothingSearch.best(activations, amax(weights), weights, Grid.UINT8_ASYMMETRIC, 127);
  }

  @Test
  void leaves_channels_that_are_alike_as_they_are() {
    assertThat(best(activations(1), weights())).isEmpty();
  }

  @Test
  void moves_the_spread_of_a_large_channel_whose_weights_are_small() {
    float[][] weights = weights();
    for (int i = 0; i < weights[5].length; i++) {
      weights[5][i] /= 50;
    }

    Choice choice = best(activations(50), weights).orElseThrow();

    assertThat(choice.error()).isLessThan(0.2);
    assertThat(choice.alpha()).isBetween(0.3, 0.95);
  }

  @Test
  void gives_the_same_choice_whatever_the_order_of_the_data() {
    ChannelStatistics activations = activations(20);
    assertThat(best(activations.plus(activations), weights()))
        .isEqualTo(best(activations, weights()));
  }

  @Test
  void a_single_row_is_enough() {
    TensorObserver observer = TensorObserver.ofChannels();
    observer.observe(FloatBuffer.wrap(new float[] {100, 1, 0.5f}), 0, 3);
    ChannelStatistics one = observer.statistics().flatMap(TensorStatistics::channels).orElseThrow();
    float[][] weights = {{0.01f}, {1}, {-1}};

    assertThat(best(one, weights)).isPresent();
  }

  @Test
  void other_channels_and_no_codes_are_refused() {
    float[][] weights = weights();
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                SmoothingSearch.best(
                    activations(1), new float[3], weights, Grid.UINT8_ASYMMETRIC, 127))
        .withMessageContaining("same channels");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                SmoothingSearch.best(
                    activations(1), amax(weights), weights, Grid.UINT8_ASYMMETRIC, 0))
        .withMessageContaining("largestCode");
  }
}
