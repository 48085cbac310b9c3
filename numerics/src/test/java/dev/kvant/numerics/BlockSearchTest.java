package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("The step with the least error")
class BlockSearchTest {

  private static float[] normal(long seed, int count) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static double error(
      BlockQuantizer quantizer, BlockStep step, float[] values, double @Nullable [] importance) {
    double error = 0;
    for (int i = 0; i < values.length; i++) {
      double difference = values[i] - quantizer.decode(quantizer.encode(values[i], step), step);
      error += (importance == null ? 1 : importance[i]) * difference * difference;
    }
    return error;
  }

  @ParameterizedTest
  @CsvSource({"4, true", "4, false", "8, true", "8, false"})
  void is_never_worse_than_the_range_and_better_on_average(int bits, boolean symmetric) {
    BlockQuantizer quantizer = new BlockQuantizer(bits, symmetric);
    double spanning = 0;
    double found = 0;
    for (int seed = 0; seed < 200; seed++) {
      float[] values = normal(seed, 32);
      double before = error(quantizer, quantizer.step(values, 0, 32), values, null);

      BlockStep step = new BlockSearch(quantizer).step(values, 0, 32, null, 0);

      double after = error(quantizer, step, values, null);
      assertThat(after).isLessThanOrEqualTo(before);
      spanning += before;
      found += after;
    }
    assertThat(found).isLessThan(0.95 * spanning);
  }

  @Test
  void is_exact_where_a_step_restores_all_values() {
    BlockQuantizer quantizer = new BlockQuantizer(4, false);
    float[] values = new float[16];
    for (int i = 0; i < 16; i++) {
      values[i] = (i - 5) * 0.75f;
    }

    BlockStep step = new BlockSearch(quantizer).step(values, 0, 16, null, 0);

    assertThat(step).isEqualTo(new BlockStep(0.75f, 5));
    assertThat(error(quantizer, step, values, null)).isZero();
  }

  @Test
  void clips_an_outlier_that_counts_nothing() {
    BlockQuantizer quantizer = new BlockQuantizer(4, false);
    float[] values = normal(3, 32);
    values[7] = 5;
    double[] importance = new double[40];
    Arrays.fill(importance, 1);
    importance[8 + 7] = 0;
    double[] own = Arrays.copyOfRange(importance, 8, 40);

    BlockStep step = new BlockSearch(quantizer).step(values, 0, 32, importance, 8);

    assertThat(step.scale()).isLessThan(quantizer.step(values, 0, 32).scale() * 0.9f);
    assertThat(error(quantizer, step, values, own))
        .isLessThan(0.8 * error(quantizer, quantizer.step(values, 0, 32), values, own));
  }

  @Test
  void is_unweighted_where_no_value_counts() {
    BlockSearch search = new BlockSearch(new BlockQuantizer(4, false));
    float[] values = normal(4, 16);

    assertThat(search.step(values, 0, 16, new double[16], 0))
        .isEqualTo(search.step(values, 0, 16, null, 0));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void of_zeros_is_that_of_the_range(boolean symmetric) {
    BlockQuantizer quantizer = new BlockQuantizer(4, symmetric);

    assertThat(new BlockSearch(quantizer).step(new float[8], 0, 8, null, 0))
        .isEqualTo(quantizer.step(new float[8], 0, 8));
  }

  @ParameterizedTest
  @ValueSource(floats = {1e-38f, 1e37f})
  void exists_for_extreme_magnitudes(float magnitude) {
    BlockQuantizer quantizer = new BlockQuantizer(4, false);
    float[] values = normal(5, 16);
    for (int i = 0; i < 16; i++) {
      values[i] *= magnitude;
    }

    BlockStep step = new BlockSearch(quantizer).step(values, 0, 16, null, 0);

    assertThat(error(quantizer, step, values, null))
        .isLessThanOrEqualTo(error(quantizer, quantizer.step(values, 0, 16), values, null));
  }

  @Test
  void of_a_value_that_is_not_finite_is_refused() {
    assertThatExceptionOfType(NonFiniteValueException.class)
        .isThrownBy(
            () ->
                new BlockSearch(new BlockQuantizer(4, true))
                    .step(new float[] {1, Float.NEGATIVE_INFINITY}, 0, 2, null, 0));
  }
}
