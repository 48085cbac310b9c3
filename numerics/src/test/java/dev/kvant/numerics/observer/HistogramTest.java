package dev.kvant.numerics.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.kvant.numerics.NonFiniteValueException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class HistogramTest {

  @Test
  void pools_neighbours_of_one_sign_until_bins_hold_enough_values() {
    Histogram histogram = of(0, 1, 2, 3, 4, 5, 6, 7, -1, -2, -3, 4095);

    assertThat(histogram.bins(1).counts()).hasSize(11).containsOnly(1);
    assertThat(histogram.bins(2).counts()).containsExactly(3, 3, 4, 1);
    Histogram.Bins few = histogram.bins(1_000);
    assertThat(few.counts()).containsExactly(3, 8);
    assertThat(few.lower()).containsExactly(-4096, 0);
    assertThat(few.width()).isEqualTo(4096);
  }

  @Test
  void counts_values_that_are_closer_to_zero_than_a_magnitude() {
    Histogram histogram = of(0, 1, 2, 3, -1, -2, -3, 4095);

    assertThat(histogram.below(0)).isZero();
    assertThat(histogram.below(2)).isEqualTo(2);
    assertThat(histogram.below(2.5)).isEqualTo(2);
    assertThat(histogram.below(4)).isEqualTo(6);
    assertThat(histogram.below(1e9)).isEqualTo(7);
  }

  @Test
  void bins_are_the_narrowest_powers_of_two_that_hold_the_largest_magnitude() {
    assertThat(of(1f).binWidth()).isEqualTo(0x1p-11);
    assertThat(of(0x1.fffffep0f).binWidth()).isEqualTo(0x1p-11);
    assertThat(of(-2f).binWidth()).isEqualTo(0x1p-10);
  }

  @Test
  void zeros_are_in_no_bin() {
    Histogram histogram = of(0f, -0f, 1f);

    assertThat(histogram.zeros()).isEqualTo(2);
    assertThat(histogram.total()).isEqualTo(3);
    assertThat(histogram.bins().counts()).containsExactly(1);
  }

  @Test
  void keeps_the_range_exactly() {
    assertThat(of(0.1f, -0.3f, 0.05f).range()).isEqualTo(new ValueRange(-0.3f, 0.1f));
  }

  @Test
  void an_empty_histogram_has_no_range() {
    assertThatIllegalStateException().isThrownBy(() -> new Histogram().range());
  }

  @Test
  void names_the_first_value_that_is_not_finite_and_counts_nothing() {
    Histogram histogram = of(1f);

    assertThatExceptionOfType(NonFiniteValueException.class)
        .isThrownBy(
            () ->
                histogram.add(
                    FloatBuffer.wrap(new float[] {1, Float.NEGATIVE_INFINITY, Float.NaN}), 100))
        .satisfies(e -> assertThat(e.index()).isEqualTo(101));
    assertThat(histogram.total()).isEqualTo(1);
  }

  @Test
  void holds_the_largest_and_the_smallest_numbers_there_are() {
    Histogram histogram = of(Float.MAX_VALUE, -Float.MIN_VALUE, Float.MIN_NORMAL);

    assertThat(Arrays.stream(histogram.bins().counts()).sum()).isEqualTo(3);
  }

  @Property(tries = 300, seed = "42")
  void does_not_depend_on_the_order_of_values(
      @ForAll("values") List<Float> values, @ForAll Random random) {
    List<Float> shuffled = new ArrayList<>(values);
    Collections.shuffle(shuffled, random);

    assertSame(oneByOne(shuffled), of(array(values)));
  }

  @Property(tries = 300, seed = "42")
  void merging_is_counting_together(
      @ForAll("values") List<Float> some, @ForAll("values") List<Float> others) {
    Histogram merged = of(array(some));
    merged.merge(of(array(others)));

    assertSame(merged, of(array(concatenated(some, others))));
  }

  @Property(tries = 300, seed = "42")
  void counts_that_were_taken_out_can_be_put_back(@ForAll("values") List<Float> values) {
    Histogram histogram = of(array(values));

    assertSame(
        Histogram.of(histogram.exponent(), histogram.counts(), histogram.range()), histogram);
  }

  @Test
  void counts_go_from_the_most_negative_bin_to_the_most_positive() {
    Histogram histogram = of(-1.5f, -0x1p-12f, 0, 0, 0x1p-12f, 1.5f);

    long[] counts = histogram.counts();

    assertThat(histogram.exponent()).isEqualTo(-11);
    assertThat(counts).hasSize(8193);
    assertThat(counts[4096 - 1 - 3072]).isEqualTo(1);
    assertThat(counts[4095]).isEqualTo(1);
    assertThat(counts[4096]).isEqualTo(2);
    assertThat(counts[4097]).isEqualTo(1);
    assertThat(counts[4097 + 3072]).isEqualTo(1);
  }

  @Test
  void counts_of_another_number_of_bins_are_refused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Histogram.of(0, new long[10], new ValueRange(0, 0)))
        .withMessageContaining("8193");
  }

  @Property(tries = 300, seed = "42")
  void every_value_is_in_the_bin_that_holds_it(@ForAll("values") List<Float> values) {
    Histogram.Bins bins = of(array(values)).bins();

    for (float value : values) {
      if (value != 0) {
        assertThat(
                Arrays.stream(bins.lower())
                    .anyMatch(
                        lower ->
                            value > 0
                                ? lower <= value && value < lower + bins.width()
                                : lower < value && value <= lower + bins.width()))
            .isTrue();
      }
    }
  }

  @Provide
  Arbitrary<List<Float>> values() {
    return Arbitraries.oneOf(
            Arbitraries.floats().between(-1, 1),
            Arbitraries.floats(),
            Arbitraries.of(0f, -0f, Float.MIN_VALUE, -Float.MIN_NORMAL, Float.MAX_VALUE))
        .list()
        .ofMinSize(1)
        .ofMaxSize(40);
  }

  private static Histogram of(float... values) {
    Histogram histogram = new Histogram();
    histogram.add(FloatBuffer.wrap(values), 0);
    return histogram;
  }

  private static Histogram oneByOne(List<Float> values) {
    Histogram histogram = new Histogram();
    for (float value : values) {
      histogram.add(FloatBuffer.wrap(new float[] {value}), 0);
    }
    return histogram;
  }

  private static void assertSame(Histogram actual, Histogram expected) {
    assertThat(actual.binWidth()).isEqualTo(expected.binWidth());
    assertThat(actual.zeros()).isEqualTo(expected.zeros());
    assertThat(actual.total()).isEqualTo(expected.total());
    assertThat(actual.range()).isEqualTo(expected.range());
    assertThat(actual.bins().lower()).isEqualTo(expected.bins().lower());
    assertThat(actual.bins().counts()).isEqualTo(expected.bins().counts());
  }

  private static List<Float> concatenated(List<Float> some, List<Float> others) {
    List<Float> all = new ArrayList<>(some);
    all.addAll(others);
    return all;
  }

  private static float[] array(List<Float> values) {
    float[] array = new float[values.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = values.get(i);
    }
    return array;
  }
}
