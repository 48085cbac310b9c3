package dev.kvant.numerics.observer;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GridTest {

  @Test
  void an_asymmetric_step_is_what_onnxruntime_computes() {
    // compute_scale_zp(float32(-0.7), float32(2.3), 0, 255) of onnxruntime.quantization 1.32
    assertThat(Grid.UINT8_ASYMMETRIC.step(new ValueRange(-0.7f, 2.3f)))
        .isEqualTo(new AffineStep(0.011764706f, 60));
  }

  @Test
  void a_symmetric_step_is_what_onnxruntime_computes() {
    // compute_scale_zp(float32(-0.7), float32(2.3), -127, 127, symmetric=True)
    assertThat(Grid.INT8_SYMMETRIC.step(new ValueRange(-0.7f, 2.3f)))
        .isEqualTo(new AffineStep(0.018110236f, 0));
  }

  @Test
  void a_range_of_positive_values_starts_at_zero() {
    assertThat(Grid.UINT8_ASYMMETRIC.step(new ValueRange(1, 2.55f)))
        .isEqualTo(new AffineStep(0.01f, 0));
  }

  @Test
  void a_range_of_negative_values_ends_at_zero() {
    assertThat(Grid.UINT8_ASYMMETRIC.step(new ValueRange(-2.55f, -1)))
        .isEqualTo(new AffineStep(0.01f, 255));
  }

  @ParameterizedTest
  @EnumSource
  void an_empty_range_has_the_step_one(Grid grid) {
    assertThat(grid.step(new ValueRange(0, 0))).isEqualTo(new AffineStep(1, 0));
  }

  @ParameterizedTest
  @EnumSource
  void the_widest_range_has_a_finite_step(Grid grid) {
    assertThat(grid.step(new ValueRange(-Float.MAX_VALUE, Float.MAX_VALUE)).scale()).isPositive();
  }

  @Property(tries = 300, seed = "42")
  void integers_lose_at_most_half_a_step_within_the_range(
      @ForAll @FloatRange(min = -10, max = 0) float min,
      @ForAll @FloatRange(min = 0.01f, max = 10) float max,
      @ForAll @FloatRange(min = 0, max = 1) float where) {
    double value = min + (double) where * (max - min);

    for (Grid grid : new Grid[] {Grid.UINT8_ASYMMETRIC, Grid.INT8_SYMMETRIC}) {
      AffineStep step = grid.step(new ValueRange(min, max));
      // The zero point is rounded too, so that the ends may be half a step off.
      assertThat(grid.restore(value, step))
          .isBetween(value - 1.001 * step.scale(), value + 1.001 * step.scale());
    }
  }

  @Property(tries = 300, seed = "42")
  void zero_stays_zero(
      @ForAll @FloatRange(min = -10, max = 10) float a,
      @ForAll @FloatRange(min = -10, max = 10) float b) {
    for (Grid grid : Grid.values()) {
      AffineStep step = grid.step(new ValueRange(Math.min(a, b), Math.max(a, b)));
      assertThat(grid.restore(0, step)).isZero();
    }
  }
}
