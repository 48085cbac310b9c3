package dev.kvant.numerics.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("An observer of ranges")
class RangeObserverTest {

  private static final float OUTLIER = 60;

  static Stream<Supplier<RangeObserver>> all() {
    return Stream.of(
        RangeObserver::minmax,
        () -> RangeObserver.percentile(99.9),
        RangeObserver::entropy,
        RangeObserver::meanSquaredError);
  }

  static Stream<Supplier<RangeObserver>> robust() {
    return all().skip(1);
  }

  @Test
  void behind_a_function_spends_no_steps_where_the_function_is_flat() {
    float[] values = new float[100_000];
    for (int i = 0; i < values.length; i++) {
      values[i] = -40 + 44f * i / values.length;
    }
    RangeObserver observer =
        RangeObserver.leastErrorBehind(List.of(x -> x / (1 + StrictMath.exp(-x))));
    observe(observer, values);
    RangeObserver plain = RangeObserver.meanSquaredError();
    observe(plain, values);

    assertThat(plain.range(Grid.UINT8_ASYMMETRIC).min()).isLessThan(-35);
    assertThat(observer.range(Grid.UINT8_ASYMMETRIC).min()).isBetween(-25f, -3f);
    assertThat(observer.range(Grid.UINT8_ASYMMETRIC).max()).isBetween(3.8f, 4.1f);
  }

  @Test
  void behind_the_identity_chooses_as_by_the_squared_error() {
    RangeObserver observer = RangeObserver.leastErrorBehind(List.of(x -> x));
    observe(observer, normal(100_000));
    RangeObserver plain = RangeObserver.meanSquaredError();
    observe(plain, normal(100_000));

    assertThat(observer.range(Grid.UINT8_ASYMMETRIC)).isEqualTo(plain.range(Grid.UINT8_ASYMMETRIC));
  }

  @Test
  void behind_no_function_is_refused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RangeObserver.leastErrorBehind(List.of()))
        .withMessageContaining("functions");
  }

  @Test
  void of_extremes_gives_the_range_as_it_was_seen() {
    RangeObserver observer = RangeObserver.minmax();
    observe(observer, 1, -2, 0.5f);

    assertThat(observer.range(Grid.UINT8_ASYMMETRIC)).isEqualTo(new ValueRange(-2, 1));
  }

  @ParameterizedTest
  @MethodSource("robust")
  void that_knows_the_distribution_cuts_an_outlier_off(Supplier<RangeObserver> kind) {
    for (Grid grid : new Grid[] {Grid.UINT8_ASYMMETRIC, Grid.INT8_SYMMETRIC}) {
      RangeObserver observer = kind.get();
      observe(observer, normal(1_000_000));
      observe(observer, OUTLIER);

      assertThat(observer.range(grid).max()).isBetween(2f, OUTLIER / 2);
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void takes_what_a_histogram_has_counted_for_seen(Supplier<RangeObserver> kind) {
    float[] values = normal(10_000);
    RangeObserver seeing = kind.get();
    observe(seeing, values);
    Histogram histogram = new Histogram();
    histogram.add(FloatBuffer.wrap(values), 0);
    RangeObserver told = kind.get();

    told.observe(histogram);

    for (Grid grid : Grid.values()) {
      assertThat(told.range(grid)).isEqualTo(seeing.range(grid));
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void has_seen_nothing_if_a_histogram_is_empty(Supplier<RangeObserver> kind) {
    RangeObserver observer = kind.get();

    observer.observe(new Histogram());

    assertThat(observer.isEmpty()).isTrue();
  }

  @ParameterizedTest
  @MethodSource("all")
  void gives_the_same_range_however_the_values_were_cut_into_batches(Supplier<RangeObserver> kind) {
    float[] values = normal(10_000);
    RangeObserver whole = kind.get();
    observe(whole, values);
    RangeObserver pieces = kind.get();
    for (int from = 0; from < values.length; from += 777) {
      pieces.observe(FloatBuffer.wrap(values, from, Math.min(777, values.length - from)), from);
    }

    for (Grid grid : Grid.values()) {
      assertThat(pieces.range(grid)).isEqualTo(whole.range(grid));
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void gives_the_same_range_when_merged(Supplier<RangeObserver> kind) {
    float[] values = normal(10_000);
    RangeObserver whole = kind.get();
    observe(whole, values);
    RangeObserver first = kind.get();
    first.observe(FloatBuffer.wrap(values, 0, 3_000), 0);
    RangeObserver second = kind.get();
    second.observe(FloatBuffer.wrap(values, 3_000, 7_000), 3_000);
    second.merge(first);

    for (Grid grid : Grid.values()) {
      assertThat(second.range(grid)).isEqualTo(whole.range(grid));
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void of_zeros_alone_gives_a_range_of_zero(Supplier<RangeObserver> kind) {
    RangeObserver observer = kind.get();
    observe(observer, 0, 0);

    assertThat(observer.range(Grid.UINT8_ASYMMETRIC).amax()).isZero();
  }

  @ParameterizedTest
  @MethodSource("all")
  void that_saw_nothing_has_no_range(Supplier<RangeObserver> kind) {
    RangeObserver observer = kind.get();
    observer.observe(FloatBuffer.allocate(0), 0);

    assertThat(observer.isEmpty()).isTrue();
    assertThatIllegalStateException()
        .isThrownBy(() -> observer.range(Grid.INT8_SYMMETRIC))
        .withMessageContaining("no value");
  }

  @ParameterizedTest
  @MethodSource("all")
  void keeps_one_sided_values_on_their_side(Supplier<RangeObserver> kind) {
    float[] values = normal(10_000);
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.max(0, values[i]);
    }
    RangeObserver observer = kind.get();
    observe(observer, values);

    assertThat(observer.range(Grid.UINT8_ASYMMETRIC).min()).isZero();
  }

  @Test
  void of_a_percentile_holds_that_part_of_the_values() {
    RangeObserver observer = RangeObserver.percentile(99);
    float[] values = new float[10_000];
    for (int i = 0; i < values.length; i++) {
      values[i] = i - 4_999.5f;
    }
    observe(observer, values);

    assertThat(observer.range(Grid.INT8_SYMMETRIC).max()).isBetween(4_948f, 4_952f);
    assertThat(observer.range(Grid.UINT8_ASYMMETRIC).max()).isBetween(4_948f, 4_952f);
    assertThat(observer.range(Grid.UINT8_ASYMMETRIC).min()).isBetween(-4_952f, -4_948f);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 20, 384, 2_000})
  void of_entropy_keeps_the_whole_range_of_values_too_few_to_tell_a_distribution_by(int count) {
    RangeObserver observer = RangeObserver.entropy();
    float[] values = normal(count);
    observe(observer, values);
    RangeObserver extremes = RangeObserver.minmax();
    observe(extremes, values);

    assertThat(observer.range(Grid.INT8_SYMMETRIC).amax())
        .isEqualTo(extremes.range(Grid.INT8_SYMMETRIC).amax());
  }

  @Test
  void of_squared_errors_loses_less_than_the_whole_range_does() {
    float[] values = normal(100_000);
    RangeObserver observer = RangeObserver.meanSquaredError();
    observe(observer, values);
    RangeObserver extremes = RangeObserver.minmax();
    observe(extremes, values);

    for (Grid grid : Grid.values()) {
      assertThat(squaredError(values, grid, observer.range(grid)))
          .isLessThanOrEqualTo(squaredError(values, grid, extremes.range(grid)));
    }
  }

  @Test
  void of_one_kind_does_not_merge_with_another() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RangeObserver.minmax().merge(RangeObserver.entropy()))
        .withMessageContaining("other");
  }

  @Test
  void of_no_percentage_is_refused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> RangeObserver.percentile(0))
        .withMessageContaining("percentage");
  }

  private static double squaredError(float[] values, Grid grid, ValueRange range) {
    AffineStep step = grid.step(range);
    double sum = 0;
    for (float value : values) {
      double error = value - grid.restore(value, step);
      sum += error * error;
    }
    return sum;
  }

  private static float[] normal(int count) {
    Random random = new Random(42);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static void observe(RangeObserver observer, float... values) {
    observer.observe(FloatBuffer.wrap(values), 0);
  }
}
