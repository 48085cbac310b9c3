package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FakeQuantizerTest {

  private static final int COLUMNS = 67;

  static Stream<Arguments> types() {
    return Stream.of(FloatType.values())
        .flatMap(
            weights ->
                Stream.of(QuantizedType.INT8, QuantizedType.FLOAT8_E4M3FN)
                    .map(codes -> Arguments.of(weights, codes)));
  }

  @ParameterizedTest
  @MethodSource("types")
  void with_a_range_for_each_row_values_become_bit_for_bit_what_they_do_in_modelopt(
      FloatType weights, QuantizedType codes) {
    ByteBuffer values = Golden.read("torchao-" + name(weights)).buffer("weights");
    Golden golden = Golden.read("modelopt-" + name(weights));
    float[] amax = golden.floats(name(codes) + ".amax");
    ByteBuffer expected = golden.buffer(name(codes) + ".restored");

    for (int i = 0; i < amax.length * COLUMNS; i++) {
      var quantizer = FakeQuantizer.of(codes, amax[i / COLUMNS]);

      float restored = weights.round(quantizer.round(weights.get(values, i)));

      assertThat(restored)
          .as("row %d, column %d", i / COLUMNS, i % COLUMNS)
          .isEqualTo(weights.get(expected, i));
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void with_one_range_for_all_values_become_bit_for_bit_what_they_do_in_modelopt(
      FloatType weights, QuantizedType codes) {
    ByteBuffer values = Golden.read("torchao-" + name(weights)).buffer("weights");
    Golden golden = Golden.read("modelopt-" + name(weights));
    ByteBuffer expected = golden.buffer(name(codes) + ".tensor_restored");
    var quantizer = FakeQuantizer.of(codes, golden.floats(name(codes) + ".tensor_amax")[0]);

    for (int i = 0; i < expected.limit() / weights.bytes(); i++) {
      float value = weights.get(values, i);
      float ordinary = Math.abs(value) > 1e4f ? 0 : value;

      assertThat(weights.round(quantizer.round(ordinary)))
          .as("element %d", i)
          .isEqualTo(weights.get(expected, i));
    }
  }

  @ParameterizedTest
  @EnumSource(QuantizedType.class)
  void the_ends_of_the_range_become_the_largest_codes(QuantizedType type) {
    var quantizer = FakeQuantizer.of(type, 3);

    assertThat(type.decode(quantizer.encode(3))).isEqualTo(type.max());
    assertThat(type.decode(quantizer.encode(-3))).isEqualTo(-type.max());
    assertThat(quantizer.round(3)).isCloseTo(3, within(1e-6f));
  }

  @ParameterizedTest
  @CsvSource({"INT8,-128", "FLOAT8_E4M3FN,-448", "FLOAT8_E5M2,-57344"})
  void values_beyond_the_range_are_clamped(QuantizedType type, float lowest) {
    var quantizer = FakeQuantizer.of(type, 0.5f);

    assertThat(type.decode(quantizer.encode(1e30f))).isEqualTo(type.max());
    assertThat(type.decode(quantizer.encode(-1e30f))).isEqualTo(lowest);
  }

  @ParameterizedTest
  @EnumSource(QuantizedType.class)
  void a_code_stands_for_what_its_value_became(QuantizedType type) {
    var quantizer = FakeQuantizer.of(type, 1.7f);

    for (float value = -2; value < 2; value += 0.037f) {
      float decoded = type.decode(quantizer.encode(value));
      float restored =
          type == QuantizedType.INT8
              ? decoded / quantizer.divisor()
              : decoded * (1 / quantizer.divisor());

      assertThat(restored).isEqualTo(quantizer.round(value));
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {0, 0x1p-30f, 0x1p-24f})
  void over_an_empty_range_of_int8_every_value_becomes_zero(float amax) {
    var quantizer = FakeQuantizer.of(QuantizedType.INT8, amax);

    assertThat(quantizer.round(amax)).isZero();
    assertThat(quantizer.encode(1e20f)).isZero();
    assertThat(quantizer.multiplier()).isZero();
    assertThat(quantizer.divisor()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(QuantizedType.class)
  void nan_stays_nan(QuantizedType type) {
    assertThat(FakeQuantizer.of(type, 1).round(Float.NaN)).isNaN();
  }

  @Test
  void a_range_that_is_none_is_refused() {
    for (float amax : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> FakeQuantizer.of(QuantizedType.INT8, amax))
          .withMessage("amax: must be finite and not negative, was " + amax);
    }
  }

  private static String name(Enum<?> type) {
    return type.name().toLowerCase(Locale.ROOT);
  }
}
