package dev.kvant.numerics.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.kvant.numerics.NonFiniteValueException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ChannelStatisticsTest {

  @Test
  void knows_the_range_of_each_channel_and_the_rows_while_they_are_few() {
    TensorStatistics seen = observed(2, new float[] {1, -5, 3, 2, -2, 0});

    ChannelStatistics channels = seen.channels().orElseThrow();
    assertThat(channels.channels()).isEqualTo(2);
    assertThat(channels.range(0)).isEqualTo(new ValueRange(-2, 3));
    assertThat(channels.range(1)).isEqualTo(new ValueRange(-5, 2));
    assertThat(channels.amax()).containsExactly(3, 5);
    assertThat(channels.rows())
        .containsExactlyInAnyOrder(new float[] {1, -5}, new float[] {3, 2}, new float[] {-2, 0});
    assertThat(seen.range()).isEqualTo(new ValueRange(-5, 3));
    assertThat(seen.histogram().orElseThrow().total()).isEqualTo(6);
  }

  @Test
  void the_sample_has_equal_rows_once_and_is_bounded() {
    assertThat(observed(1, new float[] {4, 4, 4}).channels().orElseThrow().rows()).hasSize(1);
    assertThat(observed(1, random(1, 1000)).channels().orElseThrow().rows()).hasSize(256);
    int wide = ChannelStatistics.MOST_VALUES / 2;
    assertThat(observed(wide, random(2, 3 * wide)).channels().orElseThrow().rows()).hasSize(2);
    assertThat(ChannelStatistics.mostRows(4 * ChannelStatistics.MOST_VALUES)).isEqualTo(1);
  }

  @Test
  void the_sample_takes_rows_from_all_over_the_data() {
    float[] values = new float[10_000];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    List<float[]> rows = observed(1, values).channels().orElseThrow().rows();

    // Of 256 rows drawn at random, 128 are in each half on average, with a deviation of 8.
    assertThat(rows.stream().filter(row -> row[0] < 5_000).count()).isBetween(88L, 168L);
  }

  @Test
  void depends_neither_on_the_order_nor_on_how_rows_were_spread() {
    List<float[]> batches = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      batches.add(random(i, 3 * 25));
    }
    TensorObserver one = TensorObserver.ofChannels();
    batches.forEach(batch -> one.observe(FloatBuffer.wrap(batch), 0, 3));
    Collections.shuffle(batches, new Random(7));
    TensorObserver first = TensorObserver.ofChannels();
    TensorObserver second = TensorObserver.ofChannels();
    for (int i = 0; i < batches.size(); i++) {
      (i < 13 ? first : second).observe(FloatBuffer.wrap(batches.get(i)), 0, 3);
    }

    TensorStatistics whole = one.statistics().orElseThrow();
    assertThat(first.statistics().orElseThrow().plus(second.statistics().orElseThrow()))
        .isEqualTo(whole);
    first.merge(second);
    assertThat(first.statistics()).contains(whole);
    assertThat(whole.channels().orElseThrow())
        .hasSameHashCodeAs(first.statistics().orElseThrow().channels().orElseThrow());
  }

  @Test
  void a_sum_has_channels_only_where_both_have_them() {
    TensorStatistics with = observed(1, new float[] {1});

    assertThat(with.plus(TensorStatistics.of(new ValueRange(0, 2))).channels()).isEmpty();
  }

  @Test
  void can_be_made_of_what_was_kept() {
    ChannelStatistics channels = observed(2, random(5, 2000)).channels().orElseThrow();
    float[] mins = {channels.range(0).min(), channels.range(1).min()};
    float[] maxs = {channels.range(0).max(), channels.range(1).max()};

    assertThat(ChannelStatistics.of(mins, maxs, channels.rows())).isEqualTo(channels);
  }

  @Test
  void other_channels_than_before_are_refused() {
    TensorObserver observer = TensorObserver.ofChannels();
    observer.observe(FloatBuffer.wrap(new float[] {1, 2}), 0, 2);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> observer.observe(FloatBuffer.wrap(new float[] {1, 2, 3}), 0, 3))
        .withMessage("channels must be 2, as before, were 3");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> observer.observe(FloatBuffer.wrap(new float[] {1, 2, 3}), 0, 2))
        .withMessage("3 values are no rows of 2 channels");
    assertThatIllegalStateException()
        .isThrownBy(() -> observer.observe(FloatBuffer.wrap(new float[] {1, 2}), 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> observer.merge(TensorObserver.ofDistribution()));
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> ChannelStatistics.of(new float[] {0}, new float[] {1}, List.of(new float[2])));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ChannelStatistics.of(new float[] {1}, new float[] {0}, List.of()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ChannelStatistics.of(new float[0], new float[0], List.of()));
  }

  @Test
  void a_value_that_is_not_finite_is_refused() {
    assertThatExceptionOfType(NonFiniteValueException.class)
        .isThrownBy(() -> observed(2, new float[] {1, Float.NaN}));
  }

  private static TensorStatistics observed(int channels, float[] values) {
    TensorObserver observer = TensorObserver.ofChannels();
    observer.observe(FloatBuffer.wrap(values), 0, channels);
    return observer.statistics().orElseThrow();
  }

  private static float[] random(long seed, int count) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
