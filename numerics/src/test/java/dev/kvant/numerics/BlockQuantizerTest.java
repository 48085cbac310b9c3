package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The expected numbers are those of {@code quantize_matmul_4bits} of onnxruntime 1.32. */
@DisplayName("A block of weights")
class BlockQuantizerTest {

  private static final float[] VALUES = {
    0.5f, -0.25f, 0.125f, 1, -1, 0.3f, 0, -0.7f, 0.9f, -0.95f, 0.1f, 0.2f, -0.3f, 0.4f, -0.55f,
    0.65f, 2, 3, 0.25f, 5, 0.1f, 0.7f, 1.9f, 2.5f
  };

  private static int[] codes(BlockQuantizer quantizer, BlockStep step, int from, int to) {
    int[] codes = new int[to - from];
    for (int i = from; i < to; i++) {
      codes[i - from] = quantizer.encode(VALUES[i], step);
    }
    return codes;
  }

  @Test
  void has_a_negative_scale_if_it_is_symmetric_and_its_extreme_is_positive() {
    BlockQuantizer quantizer = new BlockQuantizer(4, true);

    BlockStep step = quantizer.step(VALUES, 16, 24);

    assertThat(step).isEqualTo(new BlockStep(-0.625f, 8));
    assertThat(codes(quantizer, step, 16, 24)).containsExactly(5, 3, 8, 0, 8, 7, 5, 4);
  }

  @Test
  void gives_the_lowest_code_to_the_smallest_of_two_extremes() {
    BlockQuantizer quantizer = new BlockQuantizer(4, true);

    BlockStep step = quantizer.step(VALUES, 0, 16);

    assertThat(step).isEqualTo(new BlockStep(0.125f, 8));
    assertThat(codes(quantizer, step, 0, 16))
        .containsExactly(12, 6, 9, 15, 0, 10, 8, 2, 15, 0, 9, 10, 6, 11, 4, 13);
  }

  @Test
  void spans_its_values_and_zero_if_it_is_asymmetric() {
    BlockQuantizer quantizer = new BlockQuantizer(4, false);

    BlockStep step = quantizer.step(VALUES, 0, 16);
    BlockStep positive = quantizer.step(VALUES, 16, 24);

    assertThat(step).isEqualTo(new BlockStep(0x1.111112p-3f, 7));
    assertThat(codes(quantizer, step, 0, 16))
        .containsExactly(11, 5, 8, 15, 0, 9, 7, 2, 14, 0, 8, 9, 5, 10, 3, 12);
    assertThat(positive).isEqualTo(new BlockStep(0x1.555556p-2f, 0));
    assertThat(codes(quantizer, positive, 16, 24)).containsExactly(6, 9, 1, 15, 0, 2, 6, 8);
  }

  @Test
  void has_codes_of_8_bits() {
    BlockQuantizer quantizer = new BlockQuantizer(8, false);

    BlockStep step = quantizer.step(VALUES, 0, 16);

    assertThat(step).isEqualTo(new BlockStep(0x1.010102p-7f, 127));
    assertThat(codes(quantizer, step, 0, 16))
        .containsExactly(191, 95, 143, 255, 0, 165, 127, 38, 242, 6, 140, 153, 89, 178, 57, 210);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void of_zeros_is_restored_as_zeros(boolean symmetric) {
    BlockQuantizer quantizer = new BlockQuantizer(4, symmetric);

    BlockStep step = quantizer.step(new float[] {0, -0f, Float.MIN_VALUE}, 0, 3);

    assertThat(step.scale()).isEqualTo(1);
    assertThat(quantizer.decode(quantizer.encode(0, step), step)).isZero();
  }

  @ParameterizedTest
  @CsvSource({"4, true", "4, false", "8, true", "8, false"})
  void is_restored_within_a_step_whatever_its_magnitude(int bits, boolean symmetric) {
    BlockQuantizer quantizer = new BlockQuantizer(bits, symmetric);
    Random random = new Random(1);
    for (float magnitude : new float[] {1e-30f, 1e-3f, 1, 1e30f, Float.MAX_VALUE / 8}) {
      float[] values = new float[32];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) Math.max(-8, Math.min(8, random.nextGaussian())) * magnitude;
      }

      BlockStep step = quantizer.step(values, 0, values.length);

      for (float value : values) {
        assertThat(quantizer.decode(quantizer.encode(value, step), step))
            .isBetween(value - Math.abs(step.scale()), value + Math.abs(step.scale()));
      }
    }
  }

  @Test
  void may_span_more_than_a_float_holds() {
    BlockQuantizer quantizer = new BlockQuantizer(4, false);

    BlockStep step = quantizer.step(new float[] {-Float.MAX_VALUE, Float.MAX_VALUE}, 0, 2);

    assertThat(step.scale()).isEqualTo((float) (2.0 * Float.MAX_VALUE / 15));
  }

  @Test
  void with_a_value_that_is_not_finite_is_refused() {
    assertThatExceptionOfType(NonFiniteValueException.class)
        .isThrownBy(() -> new BlockQuantizer(4, false).step(new float[] {1, 2, Float.NaN, 0}, 1, 4))
        .satisfies(e -> assertThat(e.index()).isEqualTo(2));
  }

  @Test
  void has_4_or_8_bits() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BlockQuantizer(3, true))
        .withMessage("bits must be 4 or 8, was 3");
  }

  @Test
  void has_a_scale_and_a_zero_point_that_restore_values() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BlockStep(0, 8))
        .withMessageContaining("scale");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BlockStep(1, -1))
        .withMessageContaining("zeroPoint");
  }
}
