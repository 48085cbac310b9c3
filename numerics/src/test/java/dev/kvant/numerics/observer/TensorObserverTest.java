package dev.kvant.numerics.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.numerics.NonFiniteValueException;
import java.nio.FloatBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class TensorObserverTest {

  private static final FloatBuffer VALUES =
      FloatBuffer.wrap(
          new float[] {9, 1, Float.NaN, -2, Float.POSITIVE_INFINITY, 0.5f, Float.NEGATIVE_INFINITY},
          1,
          6);

  private static final FloatBuffer FINITE = FloatBuffer.wrap(new float[] {1, -2, 0.5f});

  @Test
  void leaves_out_values_that_are_not_finite_and_counts_them() {
    for (List<TensorObserver> observers :
        List.of(
            List.of(TensorObserver.ofExtremes(), TensorObserver.ofExtremes()),
            List.of(TensorObserver.ofDistribution(), TensorObserver.ofDistribution()))) {
      observers.get(0).observeFinite(VALUES, 6);
      observers.get(1).observe(FINITE, 0);

      TensorStatistics seen = observers.get(0).statistics().orElseThrow();

      assertThat(seen.ignored()).isEqualTo(3);
      assertThat(seen.with(0)).isEqualTo(observers.get(1).statistics().orElseThrow());
      assertThat(VALUES.position()).isOne();
    }
  }

  @Test
  void adds_what_was_left_out_when_observers_or_statistics_are_merged() {
    TensorObserver one = TensorObserver.ofDistribution();
    TensorObserver other = TensorObserver.ofDistribution();
    one.observeFinite(VALUES, 6);
    other.observeFinite(VALUES, 6);
    other.observeFinite(FINITE, 3);
    TensorStatistics sum = one.statistics().orElseThrow().plus(other.statistics().orElseThrow());

    one.merge(other);

    assertThat(one.statistics().orElseThrow().ignored()).isEqualTo(6);
    assertThat(sum).isEqualTo(one.statistics().orElseThrow());
  }

  @Test
  void observes_channels_in_rows_without_such_values_alone() {
    TensorObserver observer = TensorObserver.ofChannels();

    observer.observeFinite(FloatBuffer.wrap(new float[] {1, 2, Float.NaN, 4, 5, 6}), 2);

    TensorStatistics seen = observer.statistics().orElseThrow();
    assertThat(seen.ignored()).isOne();
    assertThat(seen.range()).isEqualTo(new ValueRange(1, 6));
    assertThat(seen.channels().orElseThrow().range(0)).isEqualTo(new ValueRange(1, 5));
    assertThat(seen.channels().orElseThrow().range(1)).isEqualTo(new ValueRange(2, 6));
  }

  @Test
  void has_seen_nothing_where_no_value_is_finite() {
    TensorObserver observer = TensorObserver.ofExtremes();

    observer.observeFinite(FloatBuffer.wrap(new float[] {Float.NaN}), 1);

    assertThat(observer.statistics()).isEmpty();
  }

  @Test
  void refuses_the_first_value_that_is_not_finite_unless_it_is_to_leave_it_out() {
    assertThatExceptionOfType(NonFiniteValueException.class)
        .isThrownBy(() -> TensorObserver.ofExtremes().observe(VALUES, 10))
        .satisfies(e -> assertThat(e.index()).isEqualTo(11));
  }
}
