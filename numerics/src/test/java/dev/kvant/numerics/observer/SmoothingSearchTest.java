package dev.kvant.numerics.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.kvant.numerics.ChannelSmoothing;
import dev.kvant.numerics.observer.SmoothingSearch.Choice;
import dev.kvant.numerics.observer.SmoothingSearch.Ranges;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
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
    return SmoothingSearch.best(
        activations, amax(weights), weights, Grid.UINT8_ASYMMETRIC, 127, Ranges.CALIBRATED);
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

  /** Rows with heavy tails, the spread of whose channels is large. */
  private static List<float[]> heavyTailed(int count, long seed) {
    Random random = new Random(seed);
    List<float[]> rows = new ArrayList<>();
    for (int row = 0; row < count; row++) {
      float[] values = new float[CHANNELS];
      for (int channel = 0; channel < CHANNELS; channel++) {
        double chiSquare = 0;
        for (int i = 0; i < 8; i++) {
          double normal = random.nextGaussian();
          chiSquare += normal * normal;
        }
        values[channel] =
            (float) (random.nextGaussian() / Math.sqrt(chiSquare / 8) * (1 << channel % 6));
      }
      rows.add(values);
    }
    return rows;
  }

  private static ChannelStatistics observed(List<float[]> rows) {
    TensorObserver observer = TensorObserver.ofChannels();
    rows.forEach(row -> observer.observe(FloatBuffer.wrap(row), 0, CHANNELS));
    return observer.statistics().flatMap(TensorStatistics::channels).orElseThrow();
  }

  /** The error of the products of rows that were not observed, quantized so many at once. */
  private static double error(
      double alpha, ChannelStatistics observed, List<float[]> rows, int atOnce, Ranges ranges) {
    float[][] weights = weights();
    float[] factors = ChannelSmoothing.factors(observed.amax(), amax(weights), alpha);
    float[] reciprocals = ChannelSmoothing.reciprocals(factors);
    int columns = weights[0].length;
    double[] scales = new double[columns];
    for (int column = 0; column < columns; column++) {
      for (int channel = 0; channel < CHANNELS; channel++) {
        scales[column] =
            Math.max(scales[column], Math.abs(weights[channel][column] * factors[channel]) / 127);
      }
    }
    double sum = 0;
    for (int from = 0; from < rows.size(); from += atOnce) {
      List<float[]> batch = rows.subList(from, from + atOnce);
      ChannelStatistics known = ranges == Ranges.DYNAMIC ? observed(batch) : observed;
      AffineStep step = Grid.UINT8_ASYMMETRIC.step(known.scaledRange(reciprocals));
      for (float[] row : batch) {
        double error = 0;
        double signal = 0;
        for (int column = 0; column < columns; column++) {
          double difference = 0;
          double product = 0;
          for (int channel = 0; channel < CHANNELS; channel++) {
            double scale = scales[column];
            double weight = Math.rint(weights[channel][column] * factors[channel] / scale) * scale;
            double value = Grid.UINT8_ASYMMETRIC.restore(row[channel] * reciprocals[channel], step);
            product += row[channel] * weights[channel][column];
            difference += value * weight - row[channel] * weights[channel][column];
          }
          error += difference * difference;
          signal += product * product;
        }
        sum += error / signal;
      }
    }
    return sum;
  }

  /** The error of the choice on new rows, as a part of that of the candidate that is best there. */
  private static double regret(Ranges ranges) {
    ChannelStatistics observed = observed(heavyTailed(4096, 3));
    List<float[]> fresh = heavyTailed(1024, 4);
    float[][] weights = weights();
    double chosen =
        SmoothingSearch.best(observed, amax(weights), weights, Grid.UINT8_ASYMMETRIC, 127, ranges)
            .orElseThrow()
            .alpha();
    double best =
        IntStream.rangeClosed(6, 19)
            .mapToDouble(each -> error(each / 20.0, observed, fresh, 64, ranges))
            .min()
            .orElseThrow();
    return error(chosen, observed, fresh, 64, ranges) / best;
  }

  @Test
  void chooses_what_is_best_for_new_rows_within_the_ranges_of_all_that_were_observed() {
    assertThat(regret(Ranges.CALIBRATED)).isLessThan(1.03);
  }

  @Test
  void chooses_what_is_best_for_new_rows_with_ranges_of_their_own() {
    assertThat(regret(Ranges.DYNAMIC)).isLessThan(1.03);
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
                    activations(1),
                    new float[3],
                    weights,
                    Grid.UINT8_ASYMMETRIC,
                    127,
                    Ranges.CALIBRATED))
        .withMessageContaining("same channels");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                SmoothingSearch.best(
                    activations(1),
                    amax(weights),
                    weights,
                    Grid.UINT8_ASYMMETRIC,
                    0,
                    Ranges.CALIBRATED))
        .withMessageContaining("largestCode");
  }
}
