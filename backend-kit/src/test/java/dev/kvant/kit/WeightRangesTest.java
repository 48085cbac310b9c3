package dev.kvant.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WeightRangesTest {

  @ParameterizedTest
  @DisplayName("A channel has the range that it has alone, however its elements lie")
  @CsvSource({
    "1, 5, 7", // short rows
    "300, 200, 1", // elements of a channel far apart
    "3, 2, 300000", // rows longer than a block
    "3000, 100, 3", // more elements in a channel than are held for all at once
    "300000, 3, 1", // more elements in a channel than in a block, each alone
    "1, 4, 262144" // rows as long as a block
  })
  void channelsAlone(int slices, int channels, int columns) {
    float[] weight = weight(slices * channels * columns);

    for (int threads : new int[] {1, 3}) {
      float[] amax = ranges(weight, threads).amax(slices, channels, columns);

      for (int channel = 0; channel < channels; channel++) {
        RangeObserver alone = percentile();
        for (int slice = 0; slice < slices; slice++) {
          alone.observe(
              FloatBuffer.wrap(weight, (slice * channels + channel) * columns, columns), 0);
        }
        assertThat(amax[channel])
            .as("channel %d on %d threads", channel, threads)
            .isEqualTo(alone.range(Grid.INT8_SYMMETRIC).amax());
      }
    }
  }

  @ParameterizedTest
  @DisplayName("An element that is not finite is named by its index in the weight")
  @CsvSource({
    "1, 5, 7, 23",
    "300, 200, 1, 41777",
    "3, 2, 300000, 1500123",
    "300000, 3, 1, 899998",
    "3000, 100, 3, 899997"
  })
  void notFinite(int slices, int channels, int columns, int element) {
    float[] weight = weight(slices * channels * columns);
    weight[element] = Float.POSITIVE_INFINITY;

    for (int threads : new int[] {1, 3}) {
      WeightRanges ranges = ranges(weight, threads);
      assertThatExceptionOfType(NonFiniteValueException.class)
          .isThrownBy(() -> ranges.amax(slices, channels, columns))
          .satisfies(e -> assertThat(e.index()).isEqualTo(element));
      assertThatExceptionOfType(NonFiniteValueException.class)
          .isThrownBy(() -> ranges.amax(weight.length))
          .satisfies(e -> assertThat(e.index()).isEqualTo(element));
    }
  }

  @ParameterizedTest
  @DisplayName("No more than a block is read at once, and each element once")
  @CsvSource({"1, 5, 7", "3, 2, 300000", "300000, 3, 1", "3000, 100, 3", "1, 70, 5000"})
  void blocks(int slices, int channels, int columns) {
    float[] weight = weight(slices * channels * columns);
    var read = new AtomicInteger();
    var ranges =
        new WeightRanges(
            (first, count) -> {
              assertThat(count).isBetween(1, 1 << 18);
              read.addAndGet(count);
              return FloatBuffer.wrap(weight, (int) first, count).slice();
            },
            Grid.INT8_SYMMETRIC,
            RangeObserver::minmax,
            2);

    ranges.amax(slices, channels, columns);
    assertThat(read).hasValue(weight.length);
    ranges.amax(weight.length);
    assertThat(read).hasValue(2 * weight.length);
  }

  private static WeightRanges ranges(float[] weight, int threads) {
    return new WeightRanges(
        (first, count) -> FloatBuffer.wrap(weight, (int) first, count).slice(),
        Grid.INT8_SYMMETRIC,
        WeightRangesTest::percentile,
        threads);
  }

  private static RangeObserver percentile() {
    return RangeObserver.percentile(99);
  }

  private static float[] weight(int elements) {
    var random = new Random(7);
    float[] values = new float[elements];
    for (int i = 0; i < elements; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
