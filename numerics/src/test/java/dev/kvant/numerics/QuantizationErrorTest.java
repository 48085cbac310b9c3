package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A quantization error")
class QuantizationErrorTest {

  @Test
  void has_20_decibels_when_the_noise_is_a_hundredth_of_the_signal() {
    assertThat(new QuantizationError(100, 99, 1).sqnrDecibels()).isCloseTo(20, within(1e-12));
  }

  @Test
  void has_infinite_decibels_without_noise() {
    assertThat(QuantizationError.NONE.sqnrDecibels()).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(new QuantizationError(4, 4, 0).sqnrDecibels()).isEqualTo(Double.POSITIVE_INFINITY);
  }

  @Test
  void has_minus_infinite_decibels_when_only_noise_is_left() {
    assertThat(new QuantizationError(0, 4, 4).sqnrDecibels()).isEqualTo(Double.NEGATIVE_INFINITY);
  }

  @Test
  void tells_the_cosine_of_the_angle() {
    // w = (3, 4) and v = (4, 3): w·v = 24, |w| = |v| = 5.
    assertThat(new QuantizationError(25, 25, 2).cosine()).isCloseTo(24 / 25.0, within(1e-12));
  }

  @Test
  void has_cosine_1_when_all_is_zero_and_0_when_one_side_is() {
    assertThat(QuantizationError.NONE.cosine()).isEqualTo(1);
    assertThat(new QuantizationError(4, 0, 4).cosine()).isZero();
    assertThat(new QuantizationError(0, 4, 4).cosine()).isZero();
  }

  @Test
  void of_two_parts_is_the_sum_of_their_errors() {
    QuantizationError sum = new QuantizationError(1, 2, 3).plus(new QuantizationError(10, 20, 30));

    assertThat(sum).isEqualTo(new QuantizationError(11, 22, 33));
  }
}
