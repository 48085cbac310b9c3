package dev.kvant.numerics.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.numerics.observer.RangeCurve.Point;
import java.nio.FloatBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("What a search for a range sees")
class RangeCurveTest {

  /** Normal values of deviation 1 with an outlier of 64. */
  private static Histogram heavyTailed() {
    var dice = new Random(7);
    float[] values = new float[20_000];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) dice.nextGaussian();
    }
    values[0] = 64;
    values[1] = 0;
    var histogram = new Histogram();
    histogram.add(FloatBuffer.wrap(values), 0);
    return histogram;
  }

  private static Point best(List<Point> points, Comparator<Double> order) {
    return points.stream().max(Comparator.comparing(Point::figure, order)).orElseThrow();
  }

  @Test
  void begins_at_the_whole_range_and_halves_it_in_six_steps() {
    List<Point> points = RangeCurve.held(heavyTailed(), Grid.INT8_SYMMETRIC);

    assertThat(points).hasSize(37);
    assertThat(points.get(0).amax()).isEqualTo(64);
    assertThat(points.get(6).amax()).isEqualTo(32);
    assertThat(points.get(36).amax()).isEqualTo(1);
  }

  @Test
  void has_the_least_error_near_the_range_that_the_search_finds() {
    Histogram histogram = heavyTailed();
    var observer = RangeObserver.meanSquaredError();
    observer.observe(histogram);

    Point best = best(RangeCurve.sqnr(histogram, Grid.INT8_SYMMETRIC), Comparator.naturalOrder());

    double chosen = observer.range(Grid.INT8_SYMMETRIC).amax();
    assertThat(best.amax() / chosen).isBetween(0.89, 1.13);
  }

  @Test
  void has_the_ratio_of_power_to_error() {
    var histogram = new Histogram();
    // One code of int8 for each: amax 127, so that the step is 1; 0.25 of each is lost.
    float[] values = {127, 100.25f, -50.25f};
    histogram.add(FloatBuffer.wrap(values), 0);

    double power = 127 * 127 + 100.25 * 100.25 + 50.25 * 50.25;
    double error = 2 * 0.25 * 0.25;
    assertThat(RangeCurve.sqnr(histogram, Grid.INT8_SYMMETRIC).get(0).figure())
        .isCloseTo(10 * Math.log10(power / error), within(1.0));
  }

  @Test
  void counts_the_share_that_is_held_with_zeros() {
    var histogram = new Histogram();
    histogram.add(FloatBuffer.wrap(new float[] {0, 0, 1, -1, 8}), 0);

    List<Point> points = RangeCurve.held(histogram, Grid.INT8_SYMMETRIC);

    assertThat(points.get(0).figure()).isEqualTo(1);
    assertThat(points.get(7).amax()).isBetween(3.0, 4.0);
    assertThat(points.get(7).figure()).isEqualTo(0.8);
    assertThat(RangeCurve.held(histogram, Grid.UINT8_ASYMMETRIC).get(7).figure())
        .as("both ends shrink")
        .isEqualTo(0.6);
  }

  @Test
  void has_the_divergence_above_the_least_one() {
    Histogram histogram = heavyTailed();
    var observer = RangeObserver.entropy();
    observer.observe(histogram);

    List<Point> points = RangeCurve.divergence(histogram, Grid.INT8_SYMMETRIC);

    assertThat(points).allSatisfy(point -> assertThat(point.figure()).isNotNegative());
    double chosen = observer.range(Grid.INT8_SYMMETRIC).amax();
    assertThat(best(points, Comparator.reverseOrder()).amax() / chosen).isBetween(0.89, 1.13);
  }

  @Test
  void counts_values_in_wider_bins() {
    var histogram = new Histogram();
    histogram.add(FloatBuffer.wrap(new float[] {-2, -1.9f, 0, 0.1f, 2}), 0);
    var equal = new Histogram();
    equal.add(FloatBuffer.wrap(new float[] {3, 3}), 0);

    assertThat(histogram.counts(4)).containsExactly(2, 0, 2, 1);
    assertThat(equal.counts(3)).containsExactly(2, 0, 0);
  }
}
