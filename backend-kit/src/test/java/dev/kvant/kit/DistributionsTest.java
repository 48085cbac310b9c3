package dev.kvant.kit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Distribution;
import dev.kvant.api.Distribution.Criterion;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.numerics.observer.ValueRange;
import java.nio.FloatBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("The distribution of an operand")
class DistributionsTest {

  private static final ValueRange CHOSEN = new ValueRange(-1.2345678f, 2);

  private static Histogram counted(float... values) {
    var histogram = new Histogram();
    histogram.add(FloatBuffer.wrap(values), 0);
    return histogram;
  }

  @ParameterizedTest
  @CsvSource({"mse, SQNR", "entropy, DIVERGENCE", "percentile, HELD", "minmax, ", ", "})
  void has_what_the_algorithm_compares(String algorithm, Criterion criterion) {
    Distribution found =
        Distributions.of(
                counted(-1, 0.3f, 3),
                Grid.UINT8_ASYMMETRIC,
                algorithm == null ? null : CalibrationAlgorithm.of(algorithm),
                CHOSEN)
            .orElseThrow();

    assertThat(found.criterion()).isEqualTo(criterion);
    assertThat(found.candidates().isEmpty()).isEqualTo(criterion == null);
    assertThat(found.counts().stream().mapToLong(Long::longValue).sum()).isEqualTo(3);
    assertThat(found.counts()).hasSize(64);
    assertThat(found.from()).isEqualTo(-1);
    assertThat(found.to()).isEqualTo(3);
    assertThat(found.low()).isEqualTo(-1.2346);
    assertThat(found.high()).isEqualTo(2);
  }

  @Test
  void is_unknown_of_zeros_and_of_nothing() {
    assertThat(
            Distributions.of(
                counted(0, 0), Grid.UINT8_ASYMMETRIC, CalibrationAlgorithm.MSE, CHOSEN))
        .isEmpty();
    assertThat(Distributions.ofWeight((first, count) -> FloatBuffer.allocate(0), 0, CHOSEN))
        .isEmpty();
  }

  @Test
  void counts_a_sample_of_a_large_weight_from_its_beginning_to_its_end() {
    var last = new AtomicLong();

    Distribution found =
        Distributions.ofWeight(
                (first, count) -> {
                  last.set(first + count);
                  float[] values = new float[count];
                  java.util.Arrays.fill(values, first == 0 ? -1 : 1);
                  return FloatBuffer.wrap(values);
                },
                10_000_000,
                CHOSEN)
            .orElseThrow();

    assertThat(found.counts().stream().mapToLong(Long::longValue).sum()).isEqualTo(1 << 18);
    assertThat(found.counts().get(0)).isEqualTo(1 << 13);
    assertThat(last.get()).isBetween(9_990_000L, 10_000_000L);
  }
}
