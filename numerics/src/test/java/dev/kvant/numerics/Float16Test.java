package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A float16")
class Float16Test {

  private static final int INFINITY = 0x7c00;

  @Test
  void has_the_value_of_its_fraction_scaled_by_its_exponent() {
    finiteMagnitudes()
        .forEach(
            half -> {
              int exponent = half >>> 10;
              int fraction = half & 0x3ff;
              double expected =
                  exponent == 0
                      ? Math.scalb(fraction, -24)
                      : Math.scalb(1024 + fraction, exponent - 25);
              assertThat(Float16.toFloat((short) half)).isEqualTo((float) expected);
              assertThat(Float16.toFloat((short) (half | 0x8000))).isEqualTo((float) -expected);
            });
  }

  @Test
  void survives_the_way_to_float32_and_back_with_all_bits() {
    for (int half = 0; half < 1 << 16; half++) {
      if ((half & 0x7fff) <= INFINITY) {
        assertThat(Float16.fromFloat(Float16.toFloat((short) half))).isEqualTo((short) half);
      }
    }
  }

  @Test
  void that_is_NaN_stays_NaN_with_its_sign() {
    for (int half = INFINITY + 1; half <= 0x7fff; half++) {
      for (int sign : new int[] {0, 0x8000}) {
        float value = Float16.toFloat((short) (half | sign));
        assertThat(value).isNaN();
        int back = Float16.fromFloat(value);
        assertThat(back & 0x7fff).isGreaterThan(INFINITY);
        assertThat(back & 0x8000).isEqualTo(sign);
      }
    }
  }

  @Test
  void is_the_even_neighbour_of_a_value_halfway_between_two() {
    finiteMagnitudes()
        .forEach(
            half -> {
              int even = half + (half & 1);
              assertThat(Float16.fromFloat(middleAbove(half))).isEqualTo((short) even);
              assertThat(Float16.fromFloat(-middleAbove(half))).isEqualTo((short) (even | 0x8000));
            });
  }

  @Test
  void is_the_nearer_neighbour_of_any_other_value() {
    finiteMagnitudes()
        .forEach(
            half -> {
              float middle = middleAbove(half);
              assertThat(Float16.fromFloat(Math.nextDown(middle))).isEqualTo((short) half);
              assertThat(Float16.fromFloat(Math.nextUp(middle))).isEqualTo((short) (half + 1));
            });
  }

  @Test
  void is_infinite_for_values_beyond_its_range() {
    assertThat(Float16.fromFloat(Float.MAX_VALUE)).isEqualTo((short) INFINITY);
    assertThat(Float16.fromFloat(Float.NEGATIVE_INFINITY)).isEqualTo((short) 0xfc00);
  }

  private static IntStream finiteMagnitudes() {
    return IntStream.range(0, INFINITY);
  }

  private static float middleAbove(int half) {
    float low = Float16.toFloat((short) half);
    float high = half + 1 == INFINITY ? 65536 : Float16.toFloat((short) (half + 1));
    return (low + high) / 2;
  }
}
